"""What the map page shows of a layer's channels: where they lie, with their pictures, alone or beside another map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.components.map import Point
from dashboard.layers import latest_request, layer_facts
from dashboard.pictures import Sheets

Layout = Literal["tsne", "umap", "pca"]
MAP = "map"
ATLAS = "activation-atlas"


@dataclass(frozen=True)
class Places:
    """channels [n] int, places [n, 2] float64 as the layout has them: those that have a place."""

    channels: np.ndarray
    places: np.ndarray


def layouts_of(atlas: Atlas, layer: str) -> list[Layout]:
    """Those that the layer's map holds; UMAP is an extra, and older maps have none."""
    table = atlas.map(layer)
    known: list[Layout] = ["tsne", "umap", "pca"]
    return (
        [] if table is None else [each for each in known if f"{each}_x" in table and table[f"{each}_x"].notna().any()]
    )


def places_of(atlas: Atlas, layer: str, layout: Layout) -> Places | None:
    """None while the map is not made."""
    table = atlas.map(layer)
    if table is None or f"{layout}_x" not in table:
        return None
    placed = table.dropna(subset=[f"{layout}_x", f"{layout}_y"])
    return Places(placed["channel"].to_numpy(int), placed[[f"{layout}_x", f"{layout}_y"]].to_numpy(np.float64))


def points_of(
    atlas: Atlas, layer: ConvLayer, found: Places, square: np.ndarray, sheets: Sheets, partner: Mapping[int, int]
) -> list[Point]:
    """square [n, 2]: where each is shown, 0 … 1 · partner: channel → that of the other map."""
    facts = layer_facts(atlas, layer)
    points = []
    for channel, (x, y) in zip(found.channels.tolist(), square, strict=True):
        tile = facts.pictures.picture.get(channel) or next(iter(facts.pictures.examples.get(channel, [])), None)
        taken = None if tile is None else sheets.take(tile, facts.sheets)
        label = facts.pictures.labels.get(channel, "")
        lines = [label] if label else []
        points.append(Point(channel, float(x), float(y), taken, f"Channel {channel}", lines, (), partner.get(channel)))
    return points


def in_square(places: np.ndarray) -> np.ndarray:
    """[n, 2] → the same, moved and stretched to fill the unit square; 0.5 where they do not differ."""
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    return 0.5 + (places - (low + high) / 2) / np.where(high > low, high - low, 1)


def without_place(atlas: Atlas, layer: ConvLayer) -> int:
    """Channels of the map that do not vary, and so lie nowhere."""
    table: pd.DataFrame | None = atlas.map(layer.name)
    return 0 if table is None else int(table["pca_x"].isna().sum())


def request_for(atlas: Atlas, layer: str, technique: str) -> dict[str, Any] | None:
    """The build that makes one layer's MAP or ATLAS; None for an atlas without images, or one that no build told of."""
    request = latest_request(atlas)
    if request is None or atlas.probe is None:
        return None
    return {**request, "layers": [layer], "channels": None, "techniques": {technique: {}}}
