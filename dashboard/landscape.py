"""What the map page shows of a layer's activation atlas: its cells, each with what lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.atlas.atlas import Atlas
from dashboard.components.map import Point
from dashboard.pictures import Sheets, address, readable

PATCHES = 5


@dataclass(frozen=True)
class Landscape:
    table: pd.DataFrame
    facts: dict[str, Any]
    grid: tuple[int, int]

    @property
    def about(self) -> str:
        facts = self.facts
        return (
            f"{facts['positions']:,} places in {facts['images']:,} images, {len(self.table)} cells. What lies close "
            "is alike to it. Each picture drives the layer as the places in its cell do; the net drew it itself."
        )


def landscape_of(atlas: Atlas, layer: str) -> Landscape | None:
    """None while it is not made."""
    table = atlas.activation_atlas(layer)
    if table is None:
        return None
    facts = atlas.facts(str(table["folder"].iloc[0]))
    return Landscape(table, facts, (int(facts["grid"][0]), int(facts["grid"][1])))


def cells_of(atlas: Atlas, land: Landscape, sheets: Sheets) -> list[Point]:
    folder = str(land.table["folder"].iloc[0])
    own = sheets.number(atlas, folder, "sheet.webp")
    side, columns = land.facts["patch"], land.facts["patch_columns"]
    patches = len(sheets.atlas_sheets)
    url = address(atlas, folder, "patches.webp")
    sheets.atlas_sheets.append({"url": url, "width": side, "height": side, "columns": columns})
    return [
        Point(
            int(row["cell"]),
            (row["column"] + 0.5) / land.grid[0],
            (row["row"] + 0.5) / land.grid[1],
            (own, int(row["cell"])),
            f"{row['count']} places in {row['images']} images",
            lines_of(row),
            [(patches, int(tile)) for tile in row["examples"][:PATCHES]],
        )
        for row in land.table.to_dict("records")
    ]


def lines_of(row: Mapping[Any, Any]) -> list[str]:
    """What a cell's card says: the classes there, what the model answers there, which channels stand out."""
    lines = []
    if isinstance(row["label"], str) and row["images"] * row["label_share"] >= 2:
        lines.append(f"Most often {readable(row['label'])}, {row['label_share']:.0%} of the images")
    if len(row["answers"]):
        lines.append(f"Answers there: {', '.join(readable(str(name)) for name in row['answers'])}")
    if len(row["channels"]):
        lines.append(f"Channels {', '.join(map(str, row['channels']))}")
    return lines


def channels_of(land: Landscape, cells: list[int]) -> list[int]:
    """The channels that stand out in any of these cells, those of most cells first."""
    rows = land.table[land.table["cell"].isin(cells)]
    counts = rows["channels"].explode().dropna().astype(int).value_counts()
    return [int(channel) for channel in counts.index]
