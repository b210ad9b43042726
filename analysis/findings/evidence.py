"""What rules read: an atlas's tables, layer by layer, each read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from analysis.probe.probe import ProbeCard
from analysis.unit import Unit

TABLES = {
    "statistics": "statistics.parquet",
    "weights": "weights.parquet",
    "exemplars": "exemplars.parquet",
}
"""Technique → its table."""


class Evidence:
    """The tables and facts of an atlas as far as they are made; those of a layer that is not measured are None."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._tables: dict[tuple[str, str], pd.DataFrame | None] = {}

    @property
    def layers(self) -> tuple[ConvLayer, ...]:
        return self._atlas.model.layers

    @cached_property
    def probe(self) -> ProbeCard | None:
        return self._atlas.probe

    def table(self, technique: str, layer: str) -> pd.DataFrame | None:
        """One row a channel (an exemplar), sorted by channel."""
        key = technique, layer
        if key not in self._tables:
            table = self._atlas.table(technique, TABLES[technique], layer)
            self._tables[key] = (
                None if table is None else table.sort_values("channel", kind="stable", ignore_index=True)
            )
        return self._tables[key]

    def each(self, *techniques: str) -> Iterator[tuple[ConvLayer, list[pd.DataFrame]]]:
        """Each layer that all of these techniques have a table of, with the tables, in the order of the model.

        Tables of statistics and weights have a row for every channel, so they lie side by side.
        """
        for layer in self.layers:
            tables = [self.table(technique, layer.name) for technique in techniques]
            known = [table for table in tables if table is not None]
            if len(known) == len(tables):
                yield layer, known

    def facts(self, technique: str, layer: str) -> Mapping[str, Any]:
        """What `statistics` or `weights` say of a layer as a whole; empty where it is not made."""
        return self._atlas.layer_facts(technique, layer) or {}

    def units(self, layer: str, channels: Any) -> tuple[str, ...]:
        """Channel numbers → unit addresses."""
        return tuple(str(Unit(self._atlas.model.id, layer, int(channel))) for channel in channels)
