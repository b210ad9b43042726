"""One channel: its picture, the real images that excite it, and its numbers before those of its layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import streamlit as st

from dashboard.components.assets import text
from dashboard.pictures import Sheets, Tile

_unit = st.components.v2.component(
    "strata_unit",
    html=text("unit.html"),
    css=text("unit.css"),
    js=text("make.js", "sheets.js", "heat.js", "steps.js", "unit.js"),
)
_gauges = st.components.v2.component(
    "strata_gauges", html=text("gauges.html"), css=text("gauges.css"), js=text("grid_model.js", "gauges.js")
)


@dataclass(frozen=True)
class Picture:
    """url: None where there is none, then `alt` says why."""

    url: str | None
    alt: str
    caption: str


@dataclass(frozen=True)
class Example:
    """One real image. image: the whole of it, small · box: left, top, right, bottom of the patch, as shares of it ·
    heat: where the channel answers in the whole of it, and its strength beside the channel's strongest, 0 … 1 ·
    number: in the probe"""

    patch: Tile
    image: Tile | None
    box: tuple[float, float, float, float]
    label: str
    name: str
    value: str
    number: int = 0
    heat: Tile | None = None
    strength: float = 0.0


@dataclass(frozen=True)
class Group:
    """size: least px of a patch."""

    title: str
    about: str
    size: int
    items: list[Example]


@dataclass(frozen=True)
class Bar:
    """share: 0 … 1 of the longest possible."""

    label: str
    value: str
    share: float


@dataclass(frozen=True)
class Note:
    """A small block below the picture: a tile, bars, or both.

    step : where a click leads, in channels from this one; 0 for nowhere · href: the same as an address
    """

    title: str
    about: str
    tile: Tile | None = None
    sharp: bool = False
    bars: list[Bar] = field(default_factory=list)
    step: int = 0
    href: str = ""


@dataclass(frozen=True)
class Face:
    url: str
    caption: str


@dataclass(frozen=True)
class Portrait:
    """Pictures that somebody asked for. about: why there are none yet, empty where there are."""

    title: str
    about: str
    faces: list[Face]


@dataclass(frozen=True)
class Neighbour:
    """Another channel. step, href: as those of a Note."""

    label: str
    tile: Tile | None
    value: str
    step: int
    href: str


@dataclass(frozen=True)
class Row:
    """Channels in a row, for a reason."""

    title: str
    about: str
    items: list[Neighbour]


@dataclass(frozen=True)
class Values:
    """The distribution of a channel's own values, in equal bins from low to high."""

    title: str
    about: str
    counts: list[int]
    low: float
    high: float


def unit(
    picture: Picture,
    portraits: list[Portrait],
    notes: list[Note],
    groups: list[Group],
    rows: list[Row],
    sheets: Sheets,
    *,
    room: tuple[int, int],
    key: str,
    heat: str = "",
    asks: Sequence[str] = (),
) -> tuple[int, int]:
    """Mount it. Returns the steps to another channel and to another layer asked for in this run, 0 for none.

    room : the steps to other layers that there are, from the least (≤ 0) to the greatest (≥ 0)
    heat : where there are no heat maps: "ask" where they can be asked for, "coming" while they are made
    asks : further pictures that can be asked for, as buttons below the picture (`asked_for_more`)
    """
    data = {
        "picture": asdict(picture),
        "portraits": [asdict(portrait) for portrait in portraits],
        "notes": [asdict(note) for note in notes],
        "rows": [asdict(row) for row in rows],
        "groups": [asdict(group) for group in groups],
        "sheets": sheets.atlas_sheets,
        "place": key,
        "room": list(room),
        "heat": heat,
        "asks": list(asks),
    }
    result = _unit(
        key=key,
        data=data,
        on_channel_change=lambda: None,
        on_layer_change=lambda: None,
        on_image_change=lambda: None,
        on_heat_change=lambda: None,
        on_ask_change=lambda: None,
    )
    return int(result.channel or 0), int(result.layer or 0)


def opened_image(key: str) -> int | None:
    """The number in the probe of the real image that was opened in this run, of the unit mounted with this key."""
    told = st.session_state.get(key) or {}
    return None if told.get("image") is None else int(told["image"])


def asked_for_more(key: str) -> str | None:
    """Which of the further pictures was asked for in this run, in the unit mounted with this key."""
    told = st.session_state.get(key) or {}
    return None if told.get("ask") is None else str(told["ask"])


def asked_for_heat(key: str) -> bool:
    """Whether heat maps were asked for in this run, in the unit mounted with this key."""
    told = st.session_state.get(key) or {}
    return bool(told.get("heat"))


def gauges(measures: list[dict[str, Any]], place: int, own: Values | None, *, key: str) -> None:
    """measures: as the grid takes them · place: the channel's among their values."""
    told = [{**measure, "place": place} for measure in measures]
    _gauges(key=key, data={"measures": told, "own": None if own is None else asdict(own)})
