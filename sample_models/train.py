"""`python -m sample_models.train [NAME …]`: make the samples again, from nothing, the same each time."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from sample_models import recipes


def main() -> None:
    names = [recipe.__name__ for recipe in (*recipes.FIRST, *recipes.THEN)]
    parser = argparse.ArgumentParser(prog="python -m sample_models.train", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(names)} (default: all)")
    parser.add_argument("--processes", type=int, default=2, help="nets trained side by side, a thread each (default 2)")
    parser.add_argument("--device", default="cpu", help="where to train (default cpu)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names)
    if unknown:
        parser.error(f"there is no {min(unknown)}; there are {', '.join(names)}")
    make(arguments.names or names, arguments.processes, arguments.device)


def make(names: Sequence[str], processes: int, device: str) -> None:
    """Draw the images once, then train those that need no other net, then those that go on from one."""
    started = time.monotonic()
    recipes.WEIGHTS.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        shared = Path(folder) / "pictures.pt"
        torch.save(recipes.pictures(processes, device), shared)
        print(f"drew the doodles, {time.monotonic() - started:.0f} s", flush=True)
        for stage in (recipes.FIRST, recipes.THEN):
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                list(pool.map(_train, [(recipe.__name__, shared) for recipe in stage if recipe.__name__ in names]))
    print(f"all made, {time.monotonic() - started:.0f} s", flush=True)


def _train(job: tuple[str, Path]) -> None:
    name, shared = job
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    started = time.monotonic()
    data = torch.load(shared, weights_only=False, mmap=True)
    getattr(recipes, name)(data, lambda text: print(f"{text}, {time.monotonic() - started:.0f} s", flush=True))


if __name__ == "__main__":
    main()
