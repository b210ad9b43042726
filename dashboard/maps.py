"""What the map page shows: a layer's channels where they lie, with their pictures."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.components.map import Point
from dashboard.layers import latest_request, layer_facts
from dashboard.pictures import Sheets

Layout = Literal["tsne", "pca"]
MAP = "map"


def points_of(atlas: Atlas, layer: ConvLayer, layout: Layout, sheets: Sheets) -> list[Point] | None:
    """Every channel that has a place, in a square from (0, 0) to (1, 1); None while the map is not made."""
    table = atlas.map(layer.name)
    if table is None:
        return None
    facts = layer_facts(atlas, layer)
    placed = table.dropna(subset=[f"{layout}_x", f"{layout}_y"])
    places = in_square(placed[[f"{layout}_x", f"{layout}_y"]].to_numpy(np.float64))
    points = []
    for channel, (x, y) in zip(placed["channel"].astype(int), places, strict=True):
        tile = facts.pictures.picture.get(channel) or next(iter(facts.pictures.examples.get(channel, [])), None)
        taken = None if tile is None else sheets.take(tile, facts.sheets)
        points.append(Point(channel, float(x), float(y), taken, facts.pictures.labels.get(channel, "")))
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


def map_request(atlas: Atlas, layer: ConvLayer) -> dict[str, Any] | None:
    """The build that makes this layer's map; None for an atlas without images, or one that no build told of."""
    request = latest_request(atlas)
    if request is None or atlas.probe is None:
        return None
    return {**request, "layers": [layer.name], "channels": None, "techniques": {MAP: {}}}
