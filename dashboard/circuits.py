"""What the channel page says of the circuit around a channel."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.address import link
from dashboard.classes import names_of
from dashboard.components.circuit import Side, Wire
from dashboard.library import CLASSES, layers_of
from dashboard.measures import written
from dashboard.pictures import Sheets, Tile, rows_of, tiles_of
from dashboard.state import View

SURE = 1 / 3
"""|balance| from which a wire is said to excite or to inhibit (docs/techniques.md)."""


def circuit_of(atlas: Atlas, layer: ConvLayer, channel: int, sheets: Sheets) -> tuple[Side, Side] | None:
    """What feeds the channel and what it feeds; None where the atlas knows nothing of circuits."""
    table, facts = atlas.circuits(layer.name), atlas.layer_facts("circuits", layer.name)
    if table is None or facts is None:
        return None
    rows = rows_of(table, channel)
    ends = _ends(atlas, rows, sheets)
    wires = [(row["direction"], _wire(atlas, row, *ends)) for row in rows.to_dict("records")]
    ways = {side: [wire for way, wire in wires if way == side] for side in ("in", "out")}
    first = "No conv layer feeds it: it reads the image itself."
    lost = f"What feeds it passes through {facts['lost']}, behind which the weights of single channels are not known."
    nowhere = "A class feeds nothing." if layer.kind == CLASSES else "No layer reads it that is listed here."
    about = "The channels before it that it reads with the greatest weights, each with its share of them."
    if facts["lost"] and ways["in"]:
        about += f" What passes through {facts['lost']} is not shown."
    return (
        Side("Fed by", about, lost if facts["lost"] else first, ways["in"]),
        Side(
            "Feeds",
            "The channels after it whose weights are most on it, each with its share of what they read.",
            nowhere,
            ways["out"],
        ),
    )


Unit = tuple[str, int]


def _ends(atlas: Atlas, rows: pd.DataFrame, sheets: Sheets) -> tuple[dict[Unit, Tile], dict[Unit, str]]:
    """The pictures and the names of the channels at the other ends, each layer looked at once."""
    tiles: dict[Unit, Tile] = {}
    names: dict[Unit, str] = {}
    layers = {layer.name: layer for layer in layers_of(atlas.model)}
    for name, group in rows.groupby("layer", sort=False):
        channels, layer = group["other"].astype(int).tolist(), layers[str(name)]
        tiles |= {(layer.name, each): tile for each, tile in tiles_of(atlas, layer.name, channels, sheets).items()}
        names |= {(layer.name, each): said for each, said in names_of(atlas, layer, channels).items()}
    return tiles, names


def _wire(atlas: Atlas, row: dict[Any, Any], tiles: dict[Unit, Tile], names: dict[Unit, str]) -> Wire:
    layer, other, balance = str(row["layer"]), int(row["other"]), float(row["balance"])
    return Wire(
        layer,
        other,
        names.get((layer, other), ""),
        tiles.get((layer, other)),
        1 if balance >= SURE else -1 if balance <= -SURE else 0,
        float(row["share"]),
        written(float(row["strength"])),
        [float(f"{weight:.3g}") for weight in row["kernel"]],
        int(row["height"]),
        link("channel", View(atlas=atlas.id, layer=layer, channel=other)),
    )
