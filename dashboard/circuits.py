"""What the channel page says of the circuit around a channel."""

from __future__ import annotations

from typing import Any

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.address import link
from dashboard.classes import unit_name
from dashboard.components.circuit import Side, Wire
from dashboard.library import CLASSES, layers_of
from dashboard.measures import written
from dashboard.pictures import Sheets, tile_of
from dashboard.state import View

SURE = 1 / 3
"""|balance| from which a wire is said to excite or to inhibit (docs/techniques.md)."""


def circuit_of(atlas: Atlas, layer: ConvLayer, channel: int, sheets: Sheets) -> tuple[Side, Side] | None:
    """What feeds the channel and what it feeds; None where the atlas knows nothing of circuits."""
    table, facts = atlas.circuits(layer.name), atlas.layer_facts("circuits", layer.name)
    if table is None or facts is None:
        return None
    rows = table[table["channel"] == channel].to_dict("records")
    ways = {way: [_wire(atlas, row, sheets) for row in rows if row["direction"] == way] for way in ("in", "out")}
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


def _wire(atlas: Atlas, row: dict[Any, Any], sheets: Sheets) -> Wire:
    layer, other, balance = str(row["layer"]), int(row["other"]), float(row["balance"])
    found = next((each for each in layers_of(atlas.model) if each.name == layer), None)
    return Wire(
        layer,
        other,
        unit_name(atlas, found, other) if found else "",
        tile_of(atlas, layer, other, sheets),
        1 if balance >= SURE else -1 if balance <= -SURE else 0,
        float(row["share"]),
        written(float(row["strength"])),
        [float(f"{weight:.3g}") for weight in row["kernel"]],
        int(row["height"]),
        link("channel", View(atlas=atlas.id, layer=layer, channel=other)),
    )
