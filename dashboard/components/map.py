"""Pictures in a plane, or in two under one cursor: zoomed, moved, picked with a lasso."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from dashboard.components.assets import text
from dashboard.frame import is_dark
from dashboard.pictures import Sheets, Tile

_map = st.components.v2.component(
    "strata_map", html=text("map.html"), css=text("map.css"), js=text("sheets.js", "steps.js", "map_tip.js", "map.js")
)


@dataclass(frozen=True)
class Point:
    """id         : a channel's or a cell's number
    x, y          : 0 … 1
    title, lines  : what its card says
    patches       : real patches on its card
    partner       : the point of the other plane that it belongs with
    """

    id: int
    x: float
    y: float
    tile: Tile | None
    title: str
    lines: Sequence[str] = ()
    patches: Sequence[Tile] = ()
    partner: int | None = None


@dataclass(frozen=True)
class Plane:
    title: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Done:
    """opened: (plane, point) that was clicked in this run · picked: points of the first plane within the lasso · step:
    to another layer."""

    opened: tuple[int, int] | None
    picked: list[int]
    step: int


def plane_map(
    planes: Sequence[Plane],
    sheets: Sheets,
    *,
    title: str,
    room: tuple[int, int],
    key: str,
    noun: str = "channels",
    grid: tuple[int, int] | None = None,
    marked: Sequence[int] = (),
) -> Done:
    """Mount it. grid: (columns, rows) of cells that touch each other; None for loose points · marked: picked from the
    start."""
    told = st.session_state.get(key) or {}
    if told.get("opened") or told.get("step"):  # the page is left: what it shows need not be sent once more
        return _done(told)
    data = {
        "panels": [{"title": plane.title, "points": [asdict(point) for point in plane.points]} for plane in planes],
        "sheets": sheets.atlas_sheets,
        "title": title,
        "room": list(room),
        "noun": noun,
        "grid": grid,
        "dark": is_dark(),
    }
    result = _map(
        key=key,
        data={**data, "picked": list(told.get("picked", marked))},
        default={"picked": list(marked)},
        on_opened_change=lambda: None,
        on_picked_change=lambda: None,
        on_step_change=lambda: None,
    )
    return _done(result)


def _done(told: Mapping[str, Any]) -> Done:
    opened = told.get("opened")
    picked = [int(point) for point in told.get("picked") or []]
    return Done((int(opened[0]), int(opened[1])) if opened else None, picked, int(told.get("step") or 0))
