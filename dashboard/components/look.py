"""One image as a model sees it: its answer, the layers from first to last, where each channel answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from dashboard.components.assets import text
from dashboard.pictures import Tile

_look = st.components.v2.component(
    "strata_look", html=text("look.html"), css=text("look.css"), js=text("make.js", "sheets.js", "heat.js", "look.js")
)


@dataclass(frozen=True)
class Answer:
    """One class. share: 0 … 1 · right: whether it is the image's label · href: its page, or empty."""

    label: str
    value: str
    share: float
    right: bool
    href: str


@dataclass(frozen=True)
class Head:
    name: str
    answers: list[Answer]


@dataclass(frozen=True)
class Channel:
    """tile: its picture in the atlas · heat: where in the image it answers · href: its page, or empty."""

    channel: int
    value: str
    label: str
    tile: Tile | None
    heat: Tile
    href: str


@dataclass(frozen=True)
class Layer:
    """kept: address of the caricature, empty while there is none; coming: one is being drawn."""

    name: str
    about: str
    href: str
    kept: str
    said: str
    coming: bool
    how: str
    channels: list[Channel]


@dataclass(frozen=True)
class Seen:
    """image: its address · sheets: as scripts take them, of the atlas's tiles and of the heat maps."""

    image: str
    about: str
    heads: list[Head]
    layers: list[Layer]
    sheets: list[dict[str, Any]]


def look(
    seen: Seen, layer: str, channel: int | None, on_place: Callable[[str, int | None], None], *, key: str
) -> tuple[str, str]:
    """Mount it. Returns the address of a page that was opened in this run, and the layer whose caricature was asked
    for; both empty for none.

    on_place : called with the layer, and the channel if one was chosen, that a person went to
    """

    def moved() -> None:
        told = st.session_state[key].get("place")
        if told:
            on_place(str(told["layer"]), None if told["channel"] is None else int(told["channel"]))

    data = {**asdict(seen), "layer": layer, "channel": channel}
    result = _look(
        key=key, data=data, on_place_change=moved, on_opened_change=lambda: None, on_wanted_change=lambda: None
    )
    return str(result.opened or ""), str(result.wanted or "")
