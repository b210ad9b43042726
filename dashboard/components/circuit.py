"""The circuit around a channel: what feeds it, what it feeds, each a picture that leads there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import streamlit as st

from dashboard.components.assets import text
from dashboard.frame import is_dark
from dashboard.pictures import Sheets, Tile
from dashboard.state import View

_circuit = st.components.v2.component(
    "strata_circuit",
    html=text("circuit.html"),
    css=text("circuit.css"),
    js=text("make.js", "sheets.js", "circuit.js"),
)


@dataclass(frozen=True)
class Wire:
    """One channel at the other end. sign: 1 excites, −1 inhibits, 0 both · share: of what the reading end reads.

    label  : what it is about, in a few words; may be empty
    kernel : the weights, row by row, in `height` rows
    href   : the other channel's page
    """

    layer: str
    channel: int
    label: str
    tile: Tile | None
    sign: int
    share: float
    strength: str
    kernel: list[float]
    height: int
    href: str


@dataclass(frozen=True)
class Side:
    """title, about: for people · empty: what stands where there are no wires."""

    title: str
    about: str
    empty: str
    wires: list[Wire] = field(default_factory=list)


def circuit(name: str, tile: Tile | None, sides: tuple[Side, Side], sheets: Sheets, *, key: str) -> View | None:
    """Mount it. name, tile: the channel in the middle. Returns the place that was opened in this run."""
    data = {
        "name": name,
        "tile": tile,
        "sides": [asdict(side) for side in sides],
        "sheets": sheets.atlas_sheets,
        "dark": is_dark(),
    }
    opened = _circuit(key=key, data=data, on_opened_change=lambda: None).opened
    return View(layer=str(opened["layer"]), channel=int(opened["channel"])) if opened else None
