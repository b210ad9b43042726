"""Images to choose one from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.assets import text
from dashboard.pictures import Sheets, Tile

_gallery = st.components.v2.component(
    "strata_gallery", html=text("gallery.html"), css=text("gallery.css"), js=text("make.js", "sheets.js", "gallery.js")
)


@dataclass(frozen=True)
class Item:
    """key: what is given back when it is opened · href: the same as an address."""

    key: str
    href: str
    title: str
    about: str


def gallery(items: Sequence[Item], tiles: Sequence[Tile | None], sheets: Sheets, *, key: str) -> str | None:
    """Mount it. Returns the key of the image that was opened in this run."""
    told = [{**asdict(item), "tile": tile} for item, tile in zip(items, tiles, strict=True)]
    result = _gallery(key=key, data={"items": told, "sheets": sheets.atlas_sheets}, on_opened_change=lambda: None)
    return str(result.opened) if result.opened is not None else None
