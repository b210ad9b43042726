"""The network from the first layer to the last, drawn from its graph: pictures, width, field of view, health."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.assets import text
from dashboard.frame import is_dark
from dashboard.pictures import Sheets, Tile

_network = st.components.v2.component(
    "strata_network",
    html=text("network.html"),
    css=text("network.css"),
    js=text("make.js", "sheets.js", "field.js", "network.js"),
)


@dataclass(frozen=True)
class Node:
    """A layer. column, lane: where it stands · field: share of the input's width that it sees · dead: share

    severity : of the worst finding on it, empty for none · told: the titles of these
    """

    layer: str
    href: str
    about: str
    column: int
    lane: int
    channels: int
    field: float | None
    tiles: list[Tile]
    dead: float
    severity: str
    told: list[str]


@dataclass(frozen=True)
class Line:
    """From a layer to one that reads it. skip: past others · sure: False where it is the order alone that says so."""

    start: str
    end: str
    skip: bool = False
    sure: bool = True


def network(nodes: list[Node], lines: list[Line], sheets: Sheets, *, key: str) -> str | None:
    """Mount it. Returns the layer that was opened in this run."""
    data = {
        "nodes": [asdict(node) for node in nodes],
        "lines": [asdict(line) for line in lines],
        "sheets": sheets.atlas_sheets,
        "dark": is_dark(),
    }
    opened = _network(key=key, data=data, on_opened_change=lambda: None).opened
    return str(opened) if opened is not None else None
