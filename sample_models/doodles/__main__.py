"""`python -m sample_models.doodles DIR`: a folder of doodles, one folder a class."""

from __future__ import annotations

import argparse
from pathlib import Path

from analysis.errors import StrataError
from sample_models.catalog import PROBE_COUNT, SAMPLES, draw_probe
from sample_models.doodles.probe import write_probe


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sample_models.doodles", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", metavar="NAME", help=f"those that a sample is measured on: {', '.join(SAMPLES)}")
    parser.add_argument("--count", type=int, help=f"images altogether (default 480; of a sample {PROBE_COUNT})")
    parser.add_argument("--seed", type=int, help="(default 0; a sample has its own)")
    arguments = parser.parse_args()
    if arguments.count is not None and arguments.count < 1:
        parser.error("--count must be at least 1")
    if arguments.sample is not None and arguments.seed is not None:
        parser.error("a sample's images have a seed of their own; leave --seed out")
    if arguments.folder.exists() and any(arguments.folder.iterdir()):
        parser.error(f"{arguments.folder} is not empty; name a new folder")
    if arguments.sample is None:
        count = arguments.count or 480
        write_probe(arguments.folder, count, arguments.seed or 0)
    else:
        count = arguments.count or PROBE_COUNT
        try:
            draw_probe(arguments.folder, arguments.sample, count)
        except StrataError as error:
            parser.error(str(error))
    print(f"{count} doodles in {arguments.folder}")


if __name__ == "__main__":
    main()
