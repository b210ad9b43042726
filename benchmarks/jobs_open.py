"""How soon there is something to see: an atlas of 26,560 channels opened, SqueezeNet's first screen from nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis import encoding
from analysis.atlas.library import Library
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard
from analysis.task import Task
from benchmarks.jobs_runs import PICTURES as DRAWING
from benchmarks.jobs_runs import strata

SCREEN, SKETCHES, PICTURES, WHOLE = "screen", "sketches", "pictures", "whole"
FIRST = 3
"""Layers whose exemplars make a first useful screen."""
READ = """
import sys, time
from analysis.atlas.library import Library
import pandas
began = time.perf_counter()
atlas = Library(sys.argv[1]).atlas("resnet50")
progress, failures = atlas.progress(), atlas.failures()
layer = atlas.model.layers[-1].name
assert len(atlas.features(layer)) == len(atlas.statistics(layer)) == 2048
print(time.perf_counter() - began)
"""


def synthetic(root: Path, card: ModelCard, probe: ProbeCard, tasks: Sequence[Task]) -> None:
    """An atlas with an artifact of the right size for every task of the plan."""
    atlas = Library(root).create_atlas(card, probe)
    atlas.add_build({"request": {}}, tasks)
    for task in tasks:
        first, last = task.channels or (0, atlas.model.layer(task.layer).out_channels if task.layer else 1)
        table = pd.DataFrame({"channel": range(first, last), "tile": range(last - first), "activation": 1.0})
        drawn = task.technique in DRAWING
        files = {f"{'features' if drawn else task.technique}.parquet": encoding.to_parquet(table)}
        if drawn:
            files |= {f"{channel:05d}.webp": bytes(4000) for channel in range(first, last)}
        atlas.artifacts.write(task, files)


def opening(root: Path, rounds: int = 5) -> list[float]:
    """Seconds in which a process that has read nothing before has an atlas's progress and a layer's tables."""
    command = [sys.executable, "-c", READ, str(root)]
    return [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(rounds)]


def milestones(model: Path, images: str, root: Path) -> dict[str, float]:
    """Seconds from the start of `strata build` to each: the first useful screen (statistics of every layer, exemplars
    of the first), a sketch of every channel and class, every fine picture, the whole atlas. It stays in `root`."""
    library, reached = Library(root), dict[str, float]()
    began = time.monotonic()
    build = strata(library, root.parent / "trace", "build", str(model), "--images", images)
    try:
        while build.poll() is None:
            _look(library, reached, time.monotonic() - began)
            time.sleep(0.5)
        _look(library, reached, time.monotonic() - began)
    finally:
        build.terminate()
        build.wait()
    return reached


def _look(library: Library, reached: dict[str, float], now: float) -> None:
    atlases = library.atlases()
    tasks = atlases[0].tasks() if atlases else []
    if not tasks:
        return
    first = {layer.name for layer in atlases[0].model.layers[:FIRST]}
    wanted = {
        SCREEN: [each for each in tasks if each.technique == "statistics"]
        + [each for each in tasks if each.technique == "exemplars" and each.layer in first],
        SKETCHES: [each for each in tasks if each.technique == "sketches"],
        PICTURES: [each for each in tasks if each.technique == "features"],
        WHOLE: [each for each in tasks if not each.intermediate],
    }
    for name, needed in wanted.items():
        if name not in reached and len(atlases[0].artifacts.made(needed)) == len(needed):
            reached[name] = now
