"""Keys that work on every page: `/` goes to a place by its name, `?` lists the keys of the page."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.assets import text

_keys = st.components.v2.component(
    "strata_keys", html=text("keys.html"), css=text("keys.css"), js=text("make.js", "keys.js")
)


@dataclass(frozen=True)
class Place:
    """Somewhere to go. kind: page, atlas, layer · name: what a person types · about: a few words beside it."""

    kind: str
    name: str
    about: str = ""


def keys(places: list[Place], page: str) -> tuple[Place, int | None] | None:
    """Mount it. Returns the place that was chosen in this run, of a layer with the channel that was typed behind it.

    page : the page's name, whose keys are listed
    """
    with st.container(key="keys"):
        data = {"places": [asdict(place) for place in places], "page": page}
        chosen = _keys(key="keys-everywhere", data=data, on_chosen_change=lambda: None).chosen
    if not chosen:
        return None
    channel = chosen.get("channel")
    found = next((p for p in places if (p.kind, p.name) == (chosen["kind"], chosen["name"])), None)
    return None if found is None else (found, None if channel is None else int(channel))
