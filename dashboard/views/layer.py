"""A layer: all of its channels in one grid."""

from __future__ import annotations

import streamlit as st

from dashboard.components.grid import grid, panel
from dashboard.frame import Way, go, heading, remember, view
from dashboard.layers import (
    about_layer,
    channels_of,
    layer_facts,
    neighbours,
    request_for_the_rest,
    still_to_come,
)
from dashboard.library import being_built, find_atlas, find_layer, jobs, layers_around
from dashboard.state import View

EVERY = 3  # s between two looks at a layer that is being built; as a string of its own it would stand on the page
here = view()
atlas = find_atlas(here)
layer = find_layer(here, atlas.model)
walk = layers_around(atlas, layer)

beside = [
    Way(name, "layer", View(atlas=atlas.id, layer=name), icon) for name, icon in neighbours(walk.at(-1), walk.at(1))
]
beside.append(Way("Map", "map", View(atlas=atlas.id, layer=layer.name), ":material/map:"))
beside.append(Way("Dream with it", "dream", View(atlas=atlas.id, layer=layer.name), ":material/auto_awesome:"))
heading(layer.name, about_layer(layer), [Way(atlas.model.name, "overview", View(atlas=atlas.id))], beside)


def make_the_rest() -> None:
    request = request_for_the_rest(atlas, layer)
    planned = len(layer_facts(atlas, layer).planned)
    if request is None or planned >= layer.out_channels:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="rest"):
        st.caption(f"{planned:,} of {layer.out_channels:,} channels were asked for.", width="content")
        if st.button("Make the rest", icon=":material/add:", type="tertiary"):
            jobs().submit("build", request)
            go("jobs", View())


make_the_rest()


def channels() -> None:
    now = view()
    coming = still_to_come(atlas, layer)
    facts = layer_facts(atlas, layer)
    opened, step = grid(
        title=layer.name,
        channels=facts.channels,
        panels=[panel(layer.name, facts.channels, facts.pictures, facts.dead, facts.planned)],
        sheets=facts.sheets,
        statistics=facts.statistics,
        labels=facts.pictures.labels,
        highlights=facts.highlights,
        view=now,
        on_view=remember,
        height="100vh - 236px" if len(facts.planned) >= layer.out_channels else "100vh - 290px",
        key=f"grid-{atlas.id}-{layer.name}",
        coming=len(channels_of(coming)) if growing else 0,
        room=walk.room,
    )
    if opened:
        go("channel", now.place(atlas=atlas.id, layer=layer.name, channel=opened.channel))
    neighbour = walk.at(step)
    if neighbour:
        go("layer", now.at(atlas=atlas.id, layer=neighbour, channel=None, low=None, high=None, selected=()))
    if growing and not (coming and being_built(atlas)):
        st.rerun()


growing = bool(still_to_come(atlas, layer)) and being_built(atlas)
if growing:
    jobs().look_at(atlas.id, layer.name)
st.fragment(channels, run_every=EVERY if growing else None)()
