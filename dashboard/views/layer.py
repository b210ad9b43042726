"""A layer: all of its channels in one grid."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.charts import statistics_chart
from dashboard.components.grid import Opened, grid, panel
from dashboard.frame import PLACE, Way, go, heading, remember, view
from dashboard.layers import (
    ABOUT_LAYERS,
    GridFacts,
    about_layer,
    channels_of,
    layer_facts,
    neighbours,
    request_for_the_rest,
    still_to_come,
)
from dashboard.library import CLASSES, being_built, file_job, find_atlas, find_layer, jobs, layers_around
from dashboard.state import MAX_SELECTED, View

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
heading(
    layer.name,
    about_layer(layer),
    [Way(atlas.model.name, "overview", View(atlas=atlas.id))],
    beside,
    help=None if layer.kind == CLASSES else ABOUT_LAYERS,
)


def make_the_rest() -> None:
    request = request_for_the_rest(atlas, layer)
    planned = len(layer_facts(atlas, layer).planned)
    if request is None or planned >= layer.out_channels:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="rest"):
        st.caption(f"{planned:,} of {layer.out_channels:,} channels were asked for.", width="content")
        if st.button("Make the rest", icon=":material/add:", type="tertiary"):
            file_job("build", request)
            go("jobs", View())


make_the_rest()


def plot(now: View, facts: GridFacts) -> None:
    """Two statistics against each other; what is drawn around is picked in the grid, what is picked stands out here."""
    known = {each["name"]: each for each in facts.statistics}
    across = now.across if now.across in known else next(iter(known))
    upward = now.upward if now.upward in known else next(name for name in known if name != across)
    with st.container(horizontal=True, key="plotted"):
        sides = (("across", "Across", across), ("upward", "Upward", upward))
        for side, label, name in sides:
            st.selectbox(
                label,
                list(known),
                index=list(known).index(name),
                format_func=lambda each: known[each]["title"],
                key=f"{side}-{atlas.id}-{layer.name}-{name}",
                on_change=replot,
                args=(side, f"{side}-{atlas.id}-{layer.name}-{name}"),
            )
    # what was picked in the plot stands in it already; what was picked in the grid takes a new one
    drawn = st.session_state.get("plot-picked", ())
    fresh = "" if now.selected == drawn else f"-{hash(now.selected):x}"
    labels = [facts.pictures.labels.get(channel, "") for channel in facts.channels]
    key = f"plot-{atlas.id}-{layer.name}-{across}-{upward}{fresh}"
    shown = known[across], known[upward]
    statistics_chart(facts.channels, labels, *shown, set(now.selected), key=key, on_pick=pick)


def pick(found: list[int]) -> None:
    chosen = tuple(sorted(found))[:MAX_SELECTED]
    st.session_state["plot-picked"] = chosen
    change(selected=chosen)


def replot(side: str, key: str) -> None:
    change(**{side: st.session_state[key]})


def change(**looks: object) -> None:
    """How this layer looks, and no page that has come since."""
    remember(view().at(**{name: getattr(here, name) for name in PLACE}, **looks))


def sheet(now: View, facts: GridFacts, coming: int) -> tuple[Opened | None, int]:
    return grid(
        title=layer.name,
        channels=facts.channels,
        panels=[panel(layer.name, facts.channels, facts.pictures, facts.dead, facts.planned)],
        sheets=facts.sheets,
        statistics=facts.statistics,
        labels=facts.pictures.labels,
        highlights=facts.highlights,
        view=now,
        on_view=remember,
        key=f"grid-{atlas.id}-{layer.name}",
        coming=coming,
        room=walk.room,
        word="Class" if layer.kind == CLASSES else "Channel",
        named=facts.named,
        words={} if facts.named else facts.words,
        plots=True,
    )


def channels() -> None:
    now = view()
    coming = still_to_come(atlas, layer)
    facts = layer_facts(atlas, layer)
    beside: DeltaGenerator | None = None
    if now.across and len(facts.statistics) > 1:
        place, beside = st.columns([0.58, 0.42], gap="medium")
    else:
        place = st.container()
    with place:
        opened, step = sheet(now, facts, len(channels_of(coming)) if growing else 0)
    if beside is not None and not opened and not step:
        with beside:
            plot(now, facts)
    if opened:
        go("channel", View(atlas=atlas.id, layer=opened.layer or layer.name, channel=opened.channel))
    neighbour = walk.at(step)
    if neighbour:
        go("layer", now.at(atlas=atlas.id, layer=neighbour, channel=None, low=None, high=None, selected=()))
    if growing and not (coming and being_built(atlas)):
        st.rerun()


growing = bool(still_to_come(atlas, layer)) and being_built(atlas)
if growing:
    jobs().look_at(atlas.id, layer.name)
st.fragment(channels, run_every=EVERY if growing else None)()
