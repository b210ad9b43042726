"""A layer's channels as pictures in a plane: zoomed, moved, picked with a lasso."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.assets import text
from dashboard.frame import is_dark
from dashboard.pictures import Sheets, Tile

_map = st.components.v2.component(
    "strata_map", html=text("map.html"), css=text("map.css"), js=text("sheets.js", "steps.js", "map.js")
)


@dataclass(frozen=True)
class Point:
    """x, y: 0 … 1."""

    channel: int
    x: float
    y: float
    tile: Tile | None
    label: str


def channel_map(
    points: list[Point], sheets: Sheets, *, title: str, room: tuple[int, int], key: str
) -> tuple[int | None, list[int], int]:
    """Mount it. Returns the channel that was opened in this run, those within the lasso, the step to another layer."""
    data = {
        "points": [asdict(point) for point in points],
        "sheets": sheets.atlas_sheets,
        "title": title,
        "room": list(room),
        "dark": is_dark(),
    }
    result = _map(
        key=key,
        data=data,
        default={"picked": []},
        on_opened_change=lambda: None,
        on_picked_change=lambda: None,
        on_step_change=lambda: None,
    )
    opened = None if result.opened is None else int(result.opened)
    return opened, [int(channel) for channel in result.picked or []], int(result.step or 0)
