"""What measuring every channel costs beside plain inference over the same images with the same decoding.

    python -m benchmarks.measure [--images FOLDER] [--count 96] [--repeats 5]

Processor seconds of one thread, both taking turns batch by batch. Images: those named, the shared photos, or generated
JPEGs. Memory: the greatest of a process that measures ResNet-50 at 224 px, on few images and on several times as many.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from analysis.heap import keep_freed_memory
from analysis.models.assemble import Origin, assemble
from analysis.models.input_spec import IMAGENET_MEAN, IMAGENET_STD, InputSpec
from analysis.models.model import Model
from analysis.models.torchvision_import import torchvision
from analysis.probe.open import open_probe
from analysis.probe.probe import Probe
from analysis.statistics.following import follows_of
from analysis.statistics.layer_state import Settings
from analysis.statistics.pass_over import images_a_pass, measure
from benchmarks.report import machine, spread, table, write_section
from benchmarks.setting import IMAGES

NETS = ("squeezenet1_1", "resnet18", "resnet50")
"""Times depend on the weights but little: these are random, scaled so that activations stay alive."""
LARGE = "resnet50"
GOAL, HELD = 1.25, ("squeezenet1_1", "resnet18")
"""The greatest ratio that was promised, and for which nets."""


def opened(name: str) -> Model:
    torch.manual_seed(0)
    net = getattr(torchvision.models, name)(weights=None)
    return assemble(net, InputSpec(mean=IMAGENET_MEAN, std=IMAGENET_STD), Origin(name, sha256="0" * 64))


def generated(folder: Path, count: int) -> str:
    """JPEGs of 256 × 256 with as much detail as photos have."""
    random = np.random.default_rng(0)
    for number in range(count):
        layers = [random.integers(0, 256, (size, size, 3)).astype(np.uint8) for size in (4, 32, 256)]
        large = [np.asarray(Image.fromarray(each).resize((256, 256), Image.Resampling.BICUBIC)) for each in layers]
        pixels = sum(share * each.astype(float) for share, each in zip((0.6, 0.3, 0.1), large, strict=True))
        Image.fromarray(np.asarray(pixels).astype(np.uint8)).save(folder / f"{number:04d}.jpg", quality=90)
    return str(folder)


def infer(model: Model, probe: Probe, numbers: range) -> None:
    """Plain inference: decode, prepare, run."""
    with torch.inference_mode():
        model(probe.batch(numbers, model.card.input))


def measure_all(model: Model, probe: Probe, report: Callable[[float], None] = lambda fraction: None) -> None:
    layers = [layer.name for layer in model.card.layers]
    measure(model, probe, range(probe.card.count), layers, follows_of(model), Settings(), report)


def both(model: Model, source: str, count: int) -> tuple[float, float]:
    """Processor seconds an image of plain inference and of measuring. They take turns batch by batch, so that what the
    machine does beside them slows both alike; each has a freshly opened probe, so that nothing is decoded already."""
    measured, inferred = open_probe(source, count=count), open_probe(source, count=count)
    step = images_a_pass(model)
    batches = iter([range(start, min(start + step, count)) for start in range(0, count, step)])
    plain = full = 0.0
    since = time.process_time()

    def turn(_fraction: float) -> None:
        nonlocal plain, full, since
        now = time.process_time()
        full += now - since
        infer(model, inferred, next(batches))
        since = time.process_time()
        plain += since - now

    measure_all(model, measured, turn)
    full += time.process_time() - since
    return plain / count, full / count


def compare(name: str, source: str, count: int, repeats: int) -> tuple[list[str], float]:
    """A row of the table, and the median ratio."""
    model = opened(name)
    both(model, source, 8)  # compiled and warm
    times = np.array([both(model, source, count) for _ in range(repeats)])
    plain, full = times.T * 1000
    ratio = full / plain
    row = [name, spread(plain.tolist()), spread(full.tolist()), spread(ratio.tolist(), ".2f")]
    return row, float(np.median(ratio))


def peak_memory(source: str, count: int) -> float:
    """MiB that a process of its own needs at most to measure the large net on so many images."""
    command = [sys.executable, "-m", "benchmarks.measure", "--images", source, "--peak", str(count)]
    return float(subprocess.check_output(command, text=True, cwd=Path(__file__).resolve().parents[1]))


def print_peak(source: str, count: int) -> None:
    import resource

    measure_all(opened(LARGE), open_probe(source, count=count))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", default=str(IMAGES) if IMAGES.exists() else None)
    parser.add_argument("--count", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        source = options.images or generated(Path(folder), options.count)
        if options.peak:
            print_peak(source, options.peak)
            return
        found = {name: compare(name, source, options.count, options.repeats) for name in NETS}
        few, many = (peak_memory(source, count) for count in (options.count // 4, options.count))
    head = ["net, 224 px", "plain inference, ms an image", "every channel measured, ms an image", "ratio"]
    missed = [name for name in HELD if found[name][1] > GOAL]
    verdict = f"missed by {' and '.join(missed)}" if missed else "met"
    kind = "photos" if options.images else "generated JPEGs"
    method = (
        f"`python -m benchmarks.measure`: {machine()}; {options.count} {kind}, decoded in both; median (least … most) "
        f"of {options.repeats} runs, in each of which both take turns batch by batch. "
        f"The goal is a ratio of {GOAL} for {' and '.join(HELD)}: {verdict}."
    )
    memory = (
        f"The greatest memory of a process that measures {LARGE}: {few:.0f} MiB with {options.count // 4} images, "
        f"{many:.0f} MiB with {options.count}."
    )
    rows = table(head, [row for row, _ratio in found.values()])
    write_section("measure", f"## What measuring every channel costs\n\n{method}\n\n{rows}\n\n{memory}")


if __name__ == "__main__":
    main()
