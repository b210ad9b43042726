"""Pictures in a plane, or in two under one cursor: zoomed, moved, picked with a lasso."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    """opened: (plane, point) that was clicked in this run · step: to another layer."""

    opened: tuple[int, int] | None
    step: int


def plane_map(
    planes: Sequence[Plane],
    sheets: Sheets,
    *,
    title: str,
    room: tuple[int, int],
    key: str,
    picked: Sequence[int],
    on_pick: Callable[[list[int]], None],
    noun: str = "channels",
    grid: tuple[int, int] | None = None,
) -> Done:
    """Mount it. grid: (columns, rows) of cells that touch each other; None for loose points · picked: the points that
    stand out, of those there are · on_pick: called with those that a person picked instead."""
    told = st.session_state.get(key) or {}
    if told.get("opened") or told.get("step"):  # the page is left: what it shows need not be sent once more
        return _done(told)

    def changed() -> None:
        told = st.session_state[key].get("picked")
        if told is not None:
            on_pick([int(point) for point in told])

    data = {
        "panels": [{"title": plane.title, "points": [asdict(point) for point in plane.points]} for plane in planes],
        "sheets": sheets.atlas_sheets,
        "title": title,
        "room": list(room),
        "noun": noun,
        "grid": grid,
        "dark": is_dark(),
        "picked": list(picked),
    }
    result = _map(
        key=key,
        data=data,
        on_opened_change=lambda: None,
        on_picked_change=changed,
        on_step_change=lambda: None,
    )
    return _done(result)


def _done(told: Mapping[str, Any]) -> Done:
    opened = told.get("opened")
    return Done((int(opened[0]), int(opened[1])) if opened else None, int(told.get("step") or 0))
