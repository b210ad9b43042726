"""How soon there is something to see: an atlas of 26,560 channels opened, SqueezeNet's first screen from nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis import encoding
from analysis.atlas.library import Library
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard
from analysis.task import Task
from benchmarks.jobs_runs import PICTURES, strata

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
        drawn = task.technique in PICTURES
        files = {f"{'features' if drawn else task.technique}.parquet": encoding.to_parquet(table)}
        if drawn:
            files |= {f"{channel:05d}.webp": bytes(4000) for channel in range(first, last)}
        atlas.artifacts.write(task, files)


def opening(root: Path, rounds: int = 5) -> list[float]:
    """Seconds in which a process that has read nothing before has an atlas's progress and a layer's tables."""
    command = [sys.executable, "-c", READ, str(root)]
    return [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(rounds)]


def first_screen(model: Path, images: str) -> float:
    """Seconds from the start of `strata build` to the statistics of every layer and the exemplars of the first."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder) / "library")
        began = time.monotonic()
        build = strata(library, Path(folder) / "trace", "build", str(model), "--images", images)
        try:
            while not _useful(library):
                if build.poll() is not None:
                    raise SystemExit("The build ended before there was anything to see.")
                time.sleep(0.2)
            return time.monotonic() - began
        finally:
            build.terminate()
            build.wait()


def _useful(library: Library) -> bool:
    atlases = library.atlases()
    if not atlases or not atlases[0].tasks():
        return False
    tasks = atlases[0].tasks("statistics")
    tasks += [task for layer in atlases[0].model.layers[:FIRST] for task in atlases[0].tasks("exemplars", layer.name)]
    return len(atlases[0].artifacts.made(tasks)) == len(tasks)
