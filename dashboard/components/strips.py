"""Rows of a name, pictures and figures: the library's atlases, a model's layers, two models' layers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import streamlit as st

from dashboard.components.assets import text
from dashboard.pictures import Sheets, Tile

_strips = st.components.v2.component(
    "strata_strips",
    html=text("strips.html"),
    css=text("strips.css"),
    js=text("make.js", "sheets.js", "field.js", "strips.js"),
)


@dataclass(frozen=True)
class Figure:
    """One number of a row. share: 0 … 1, drawn as a bar · alarm: drawn as something to look at."""

    title: str
    value: str
    share: float | None = None
    alarm: bool = False
    about: str = ""


@dataclass(frozen=True)
class Strip:
    """One row. key: what `strips` returns when it is opened · href: the same as an address, for a new tab.

    tiles : one list of pictures a panel · empty: stands where there is none
    field : share of the input's width that the layer sees
    note  : a sentence below the row, over its whole width
    """

    key: str
    href: str
    title: str
    subtitle: str
    tiles: list[list[Tile]]
    figures: list[Figure] = field(default_factory=list)
    field: float | None = None
    here: bool = False
    empty: str = "no pictures yet"
    note: str = ""


@dataclass(frozen=True)
class Head:
    """Titles above the rows' three parts."""

    left: str
    tiles: list[str]
    figures: list[str]


def strips(
    rows: list[Strip],
    sheets: Sheets,
    *,
    key: str,
    tile: int = 60,
    left: str = "250px",
    figure: int = 74,
    head: Head | None = None,
    cards: bool = False,
) -> str | None:
    """Mount it. Returns the key of the row that was opened in this run. tile, figure: px; left: CSS width."""
    data: dict[str, Any] = {
        "rows": [asdict(row) for row in rows],
        "sheets": sheets.atlas_sheets,
        "tile": tile,
        "left": left,
        "figure": figure,
        "head": None if head is None else asdict(head),
        "cards": cards,
    }
    result = _strips(key=key, data=data, on_opened_change=lambda: None)
    return str(result.opened) if result.opened is not None else None
