"""The grid of a layer's channels: one component for all of them, one panel or two under one cursor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.components.assets import text
from dashboard.frame import is_dark
from dashboard.pictures import LayerPictures, Sheets
from dashboard.state import MAX_SELECTED, View

_grid = st.components.v2.component(
    "strata_grid",
    html=text("grid.html"),
    css=text("grid.css"),
    js=text(
        "make.js",
        "sheets.js",
        "steps.js",
        "grid_model.js",
        "grid_draw.js",
        "grid_card.js",
        "grid_controls.js",
        "grid_beside.js",
        "grid.js",
    ),
)
TILE = 104
"""px of a tile where the address says nothing."""
SHOWS = ("pictures", "images", "examples", "average")
"""What a tile may show."""


@dataclass(frozen=True)
class Opened:
    """What was clicked: a channel, in which panel. layer: where a person searched for a channel of another one."""

    channel: int
    panel: int
    layer: str = ""


def panel(
    title: str, channels: list[int], pictures: LayerPictures, dead: Collection[int], planned: Collection[int]
) -> dict[str, Any]:
    """One atlas's pictures in the grid; channels that have none say why."""

    def why(channel: int) -> str:
        if channel in dead:
            return "dead"
        return "no picture yet" if channel in planned else "not asked for"

    return {
        "title": title,
        "picture": [pictures.picture.get(channel) for channel in channels],
        "examples": [pictures.examples.get(channel) for channel in channels],
        "whole": [pictures.whole.get(channel) for channel in channels] if pictures.whole else [],
        "faces": {channels.index(channel): tiles for channel, tiles in pictures.faces.items() if channel in channels},
        "missing": [why(channel) for channel in channels],
    }


def grid(
    *,
    title: str,
    channels: list[int],
    panels: list[dict[str, Any]],
    sheets: Sheets,
    statistics: list[dict[str, Any]],
    labels: Mapping[int, str],
    highlights: list[str],
    view: View,
    on_view: Callable[[View], None],
    key: str,
    coming: int = 0,
    room: tuple[int, int] = (0, 0),
    word: str = "Channel",
    named: bool = False,
    words: Mapping[int, str] | None = None,
    plots: bool = False,
) -> tuple[Opened | None, int]:
    """Mount it; it reaches down to the window's end. Returns what was opened in this run (or None) and the step to
    another layer (0 for none).

    on_view : called with the changed view when a person sorted, filtered, zoomed or picked
    coming  : channels of which something is still to come
    room    : the steps to other layers that there are, from the least (≤ 0) to the greatest (≥ 0)
    word    : what a unit is called: Channel, Class
    named   : the labels are the channels' names, and stand below the tiles
    words   : what else a search finds a channel by
    plots   : offer a plot of two statistics against each other (`View.across`, `View.upward`)
    """
    told = st.session_state.get(key) or {}
    if told.get("opened") or told.get("step"):  # the page is left: what it shows need not be sent once more
        return _opened(told.get("opened")), int(told.get("step") or 0)

    # where pictures may still come, the choice is made for good: real images stand in for them until then
    has_pictures = coming > 0 or any(tile for each in panels for tile in each["picture"])
    usual = "pictures" if has_pictures else "examples"

    def changed() -> None:
        told = st.session_state[key].get("view")
        if told:
            on_view(_from_script(view, told, usual))

    result = _grid(
        key=key,
        data={
            "title": title,
            "channels": channels,
            "panels": panels,
            "sheets": sheets.atlas_sheets,
            "statistics": statistics,
            "labels": [labels.get(channel, "") for channel in channels],
            "words": [(words or {}).get(channel, "") for channel in channels],
            "word": word,
            "named": named,
            "plots": plots,
            "highlights": highlights,
            "view": _to_script(view, usual, {s["name"] for s in statistics}, set(channels)),
            "mostSelected": MAX_SELECTED,
            "coming": coming,
            "room": list(room),
            "dark": is_dark(),
        },
        on_view_change=changed,
        on_opened_change=lambda: None,
        on_step_change=lambda: None,
    )
    return _opened(result.opened), int(result.step or 0)


def _opened(told: Mapping[str, Any] | None) -> Opened | None:
    return Opened(int(told["channel"]), int(told["panel"]), str(told.get("layer", ""))) if told else None


def _to_script(view: View, show: str, sortable: set[str], channels: set[int]) -> dict[str, Any]:
    """What of a view there is here: an address may name a statistic or a channel that this grid does not have."""
    return {
        "sort": view.sort if view.sort in sortable else "",
        "up": view.up,
        "low": view.low,
        "high": view.high,
        "find": view.find,
        "show": view.show if view.show in SHOWS else show,
        "size": min(max(view.size or TILE, 48), 220),
        "selected": [channel for channel in view.selected if channel in channels],
        "beside": view.beside,
        "across": view.across,
    }


def _from_script(view: View, told: Mapping[str, Any], usual: str) -> View:
    """usual: what tiles show where the address says nothing; as long as nobody chose, it goes on saying nothing."""
    shown = view.show if view.show in SHOWS else usual
    return view.at(
        sort=str(told["sort"]),
        up=bool(told["up"]),
        low=told["low"],
        high=told["high"],
        find=str(told["find"]),
        show=view.show if told["show"] == shown else str(told["show"]),
        size=None if told["size"] == TILE else int(told["size"]),
        selected=tuple(int(channel) for channel in told["selected"]),
        beside=bool(told["beside"]),
        across=str(told["across"]),
        upward=view.upward if told["across"] else "",
    )
