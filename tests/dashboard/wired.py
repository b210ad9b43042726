"""Circuits for an invented atlas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.circuits.table import COLUMNS
from analysis.task import Task


def wire(channel: int, direction: str, layer: str, other: int, balance: float) -> tuple[object, ...]:
    """One row of a circuits table, with a kernel of 2 × 2."""
    return (channel, direction, 0, layer, other, 1.5, 0.25, balance, 2, [1.0, -0.5, 0.0, balance])


def wire_up(
    atlas: Atlas, reads: Mapping[str, Sequence[str]], wires: Mapping[str, list[tuple[object, ...]]], lost: str = ""
) -> None:
    """Add circuits: layer → the layers it reads, and its wires. lost: the operator behind which something is lost."""
    tasks = {name: Task("circuits", 1, atlas.model.sha256, layer=name) for name in reads}
    atlas.add_build({"request": {}, "versions": {}}, list(tasks.values()))
    for name, task in tasks.items():
        table = pd.DataFrame(wires.get(name, []), columns=list(COLUMNS))
        facts = {"reads": list(reads[name]), "read_by": [], "lost": lost}
        files = {"circuits.parquet": encoding.to_parquet(table), "layer.json": encoding.to_json(facts)}
        atlas.artifacts.write(task, files)
