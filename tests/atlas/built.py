"""A library with one finished atlas made by hand, as a build leaves it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.task import Task
from tests.atlas.synthetic import features_artifact, features_task, model_card, probe_card

WEIGHTS = b"weights of a net"
MEASURED = Task("measure", 1, "1" * 64, "2" * 32, part=(0, 16), priority=100, intermediate=True)
STATISTICS = Task("statistics", 1, "1" * 64, "2" * 32, "conv1", needs=(MEASURED.key,))
PICTURES = [features_task("conv1", (0, 4)), features_task("conv1", (4, 8)), features_task("conv2/a:b", (0, 8))]
TASKS = [MEASURED, STATISTICS, *PICTURES]
ARTIFACTS = [
    {"0000.npz": b"accumulators" * 99},
    {"statistics.parquet": b"table"},
    *(features_artifact(range(*task.channels or (0, 0)), 1.0) for task in PICTURES),
]


def built(library: Library, folder: Path) -> Atlas:
    """folder: where the model's original file lies, outside of the library."""
    file = folder / "my net.onnx"
    file.write_bytes(WEIGHTS)
    digest = sha256(WEIGHTS).hexdigest()
    card = replace(model_card(sha256=digest), options={"trust": True, "architecture": "net.py:Net"})
    library.add_model(card, file)
    atlas = library.create_atlas(card, probe_card())
    atlas.add_build({"request": {"model": card.id}}, TASKS)
    write_all(atlas)
    return atlas


def write_all(atlas: Atlas) -> None:
    """What a build does: make what is not there."""
    for task, files in zip(TASKS, ARTIFACTS, strict=True):
        if not atlas.artifacts.has(task):
            atlas.artifacts.write(task, files)
