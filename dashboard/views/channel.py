"""A channel: its picture, the real images that excite it, how it behaves."""

from __future__ import annotations

import streamlit as st

from dashboard.channels import being_found, examples_of, picture_of, request_for_heat, still_to_come_of, values_of
from dashboard.circuits import circuit_of
from dashboard.classes import names_of, unit_names, word_for
from dashboard.components.circuit import circuit
from dashboard.components.unit import asked_for_heat, asked_for_more, gauges, opened_image, unit
from dashboard.frame import Way, go, heading, view
from dashboard.layers import ABOUT_LAYERS, about_layer, layer_facts
from dashboard.library import being_built, file_job, find_atlas, find_channel, find_layer, jobs, layers_around
from dashboard.notes import neighbours_of, notes_of
from dashboard.pictures import Sheets, tiles_of
from dashboard.portraits import PRESETS, ask_for, being_rendered, portraits_of, render_again
from dashboard.remarks import remarks
from dashboard.state import View

EVERY = 3  # s between two looks at a channel that is being made
here = view()
atlas = find_atlas(here, page="channel")
layer = find_layer(here, atlas.model, page="channel")
channel = find_channel(here, atlas, layer)
place = View(atlas=atlas.id, layer=layer.name)
name = f"{atlas.id}-{layer.name}-{channel}"


def channel_at(step: int) -> View:
    return place.at(channel=(channel + step) % layer.out_channels)


named = unit_names(atlas, layer)
title = f"{word_for(layer).capitalize()} {channel}"
if named:
    title += f": {named.names[channel]}"
said = f"Its name is {named.evidence}." if named else names_of(atlas, layer, [channel]).get(channel, "")
heading(
    title,
    said or about_layer(layer),
    [Way(atlas.model.name, "overview", View(atlas=atlas.id)), Way(layer.name, "layer", place)],
    [
        Way(str(channel_at(-1).channel), "channel", channel_at(-1), ":material/chevron_left:", "Previous channel (←)"),
        Way(str(channel_at(1).channel), "channel", channel_at(1), ":material/chevron_right:", "Next channel (→)"),
        Way("Dream with it", "dream", place.at(channel=channel), ":material/auto_awesome:"),
    ],
    lambda: remarks(atlas, layer, channel),
    None if said else ABOUT_LAYERS,
)


def shown() -> None:
    """The channel itself, and what can be asked of it."""
    facts, sheets, walk = layer_facts(atlas, layer), Sheets(), layers_around(atlas, layer)
    heat = request_for_heat(atlas, layer)
    step, layer_step = unit(
        picture_of(atlas, layer, channel, facts),
        portraits_of(atlas, layer, channel),
        notes_of(atlas, layer, channel, facts, sheets),
        examples_of(atlas, layer, channel, sheets),
        neighbours_of(atlas, layer, channel, facts, sheets),
        sheets,
        room=walk.room,
        key=f"unit-{name}",
        heat="" if heat is None else "coming" if being_found(atlas, layer) else "ask",
        asks=list(PRESETS),
    )
    image, more = opened_image(f"unit-{name}"), asked_for_more(f"unit-{name}")
    if image is not None:
        go("image", place.at(channel=channel, image=f"probe/{image}"))
    if more is not None and more in PRESETS:
        ask_for(atlas, layer, channel, PRESETS[more])
    if heat is not None and asked_for_heat(f"unit-{name}"):
        file_job("build", heat)
        st.rerun()
    if step:
        go("channel", channel_at(step))
    neighbour = walk.at(layer_step)
    if neighbour:
        go("layer", View(atlas=atlas.id, layer=neighbour))
    if growing and not is_growing():
        st.rerun()


def among_others() -> None:
    """What it reads and feeds, and where it stands in its layer."""
    facts, wires = layer_facts(atlas, layer), Sheets()
    sides = circuit_of(atlas, layer, channel, wires)
    if sides:
        middle = tiles_of(atlas, layer.name, [channel], wires).get(channel)
        around = circuit(title[0].lower() + title[1:], middle, sides, wires, key=f"circuit-{name}")
        if around:
            go("channel", around.at(atlas=atlas.id))
    gauges(facts.statistics, channel, values_of(layer, facts, channel), key=f"gauges-{name}")


def is_growing() -> bool:
    if being_rendered(atlas, layer, channel) or being_found(atlas, layer):
        return True
    return still_to_come_of(atlas, layer, channel) and being_built(atlas)


growing = is_growing()
if growing:
    jobs().look_at(atlas.id, layer.name)
st.fragment(shown, run_every=EVERY if growing else None)()
render_again(atlas, layer, channel)
st.fragment(among_others, run_every=EVERY if growing else None)()
st.caption(f"Address: {atlas.model.id}/{layer.name}:{channel}")
