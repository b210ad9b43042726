"""What looks wrong, one line each; opened, it shows its evidence, what would be normal, the cure, and its channels."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.assets import text
from dashboard.pictures import Sheets, Tile
from dashboard.state import View

_findings = st.components.v2.component(
    "strata_findings",
    html=text("findings.html"),
    css=text("findings.css"),
    js=text("make.js", "sheets.js", "findings.js"),
)


@dataclass(frozen=True)
class Pictured:
    """A channel. tile: None where it has no picture · href: its page's address."""

    layer: str
    channel: int
    tile: Tile | None
    href: str


@dataclass(frozen=True)
class Card:
    """severity: high, medium or low · layer, href: where, empty for the whole model · more: channels not shown."""

    severity: str
    title: str
    layer: str
    href: str
    evidence: list[tuple[str, str]]
    null: str
    cure: str
    units: list[Pictured]
    more: int = 0


def findings(cards: list[Card], unjudged: list[str], sheets: Sheets, *, key: str) -> View | None:
    """Mount it. Returns the place that was opened in this run: a layer, or a channel.

    unjudged : what could not be judged, a line each
    """
    data = {"cards": [asdict(card) for card in cards], "unjudged": unjudged, "sheets": sheets.atlas_sheets}
    opened = _findings(key=key, data=data, on_opened_change=lambda: None).opened
    if not opened:
        return None
    channel = opened.get("channel")
    return View(layer=str(opened["layer"]), channel=None if channel is None else int(channel))
