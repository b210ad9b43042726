"""Where one can go from any page by name: pages, atlases, the layers of the atlas that is open."""

from __future__ import annotations

import streamlit as st

from analysis.atlas.atlas import Atlas
from analysis.errors import StrataError
from dashboard.components.keys import Place, keys
from dashboard.frame import go
from dashboard.library import CLASSES, layers_of, library
from dashboard.state import View

MOST_ATLASES = 100


PAGES = {
    "Library": "library",
    "Image": "image",
    "Dream": "dream",
    "Compare": "compare",
    "Jobs": "jobs",
    "Open a model": "open",
}


def go_by_name(page: str) -> None:
    """Mount the keys of every page, and go where they lead."""
    atlas = _atlas()
    layers = [] if atlas is None else layers_of(atlas.model)
    places = [
        *(
            Place("layer", each.name, f"{each.out_channels:,} {'classes' if each.kind == CLASSES else 'channels'}")
            for each in layers
        ),
        *(Place("atlas", each.id, "atlas") for each in library().atlases()[:MOST_ATLASES]),
        *(Place("page", name, "page") for name in PAGES),
    ]
    chosen = keys(places, page)
    if chosen is None:
        return
    place, channel = chosen
    if place.kind == "page":
        go(PAGES[place.name], View())
    elif place.kind == "atlas":
        go("overview", View(atlas=place.name))
    elif atlas is not None:
        there = View(atlas=atlas.id, layer=place.name, channel=channel)
        go("layer" if channel is None else "channel", there)


def _atlas() -> Atlas | None:
    """The atlas that the address names, if it names one."""
    try:
        return library().atlas(st.query_params.get("atlas", "")) if st.query_params.get("atlas") else None
    except StrataError:
        return None
