"""Cards to choose one from: a picture, what it is, all that is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.assets import text

_shelf = st.components.v2.component(
    "strata_shelf", html=text("shelf.html"), css=text("shelf.css"), js=text("make.js", "shelf.js")
)


@dataclass(frozen=True)
class Offer:
    """key: what is given back when it is chosen · href: the same as an address · picture: empty where there is none."""

    key: str
    href: str
    title: str
    about: str
    hint: str = ""
    picture: str = ""


def shelf(offers: Sequence[Offer], *, key: str) -> str | None:
    """Mount it. Returns the key of the card that was chosen in this run."""
    data = {"offers": [asdict(offer) for offer in offers]}
    result = _shelf(key=key, data=data, on_opened_change=lambda: None)
    return str(result.opened) if result.opened is not None else None
