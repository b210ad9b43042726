"""Atlases made in this process, without the job table and without pictures: what rules read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.jobs.plan import plan
from analysis.models.model import Model
from analysis.probe.probe import Probe
from analysis.technique import Context, Wanted
from analysis.techniques import technique

READ: dict[str, dict[str, Any]] = {"weights": {}, "statistics": {}, "exemplars": {}}
"""The techniques whose tables the rules read, with their parameters."""


def atlas_of(model: Model, probe: Probe, folder: Path, techniques: Mapping[str, Mapping[str, Any]] = READ) -> Atlas:
    """Everything planned is made, task by task."""
    atlas = Library(folder).create_atlas(model.card, probe.card)
    wanted = Wanted(tuple(layer.name for layer in model.card.layers))
    tasks = plan(model.card, probe.card, wanted, techniques)
    atlas.add_build({}, tasks)
    by_key = {task.key: task for task in tasks}
    for task in tasks:
        inputs = {key: atlas.artifacts.read(by_key[key]) for key in task.needs}
        made = technique(task.technique).run(task, Context(lambda: model, lambda: probe, inputs))
        atlas.artifacts.write(task, made)
    return atlas
