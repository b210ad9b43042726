"""A channel: its picture, the real images that excite it, how it behaves."""

from __future__ import annotations

import streamlit as st

from dashboard.channels import examples_of, picture_of, values_of
from dashboard.components.unit import gauges, unit
from dashboard.frame import Way, go, heading, view
from dashboard.layers import about_layer, layer_facts
from dashboard.library import find_atlas, find_channel, find_layer, layers_around
from dashboard.notes import notes_of
from dashboard.pictures import Sheets
from dashboard.state import View

here = view()
atlas = find_atlas(here, page="channel")
layer = find_layer(here, atlas.model, page="channel")
channel = find_channel(here, atlas, layer)
place = View(atlas=atlas.id, layer=layer.name)
facts = layer_facts(atlas, layer)


def channel_at(step: int) -> View:
    return place.at(channel=(channel + step) % layer.out_channels)


heading(
    f"Channel {channel}",
    facts.pictures.labels.get(channel, "") or about_layer(layer),
    [Way(atlas.model.name, "overview", View(atlas=atlas.id)), Way(layer.name, "layer", place)],
    [
        Way(str(channel_at(-1).channel), "channel", channel_at(-1), ":material/chevron_left:", "Previous channel (←)"),
        Way(str(channel_at(1).channel), "channel", channel_at(1), ":material/chevron_right:", "Next channel (→)"),
        Way("Dream with it", "dream", place.at(channel=channel), ":material/auto_awesome:"),
    ],
)
sheets = Sheets()
step, layer_step = unit(
    picture_of(atlas, layer, channel, facts),
    notes_of(atlas, layer, channel, facts, sheets),
    examples_of(atlas, layer, channel, sheets),
    sheets,
    key=f"unit-{atlas.id}-{layer.name}-{channel}",
)
gauges(facts.statistics, channel, values_of(facts, channel), key=f"gauges-{atlas.id}-{layer.name}-{channel}")
st.caption(f"Address: {atlas.model.id}/{layer.name}:{channel}")
if step:
    go("channel", channel_at(step))
neighbour = dict(zip((-1, 1), layers_around(atlas, layer), strict=True)).get(layer_step)
if neighbour:
    go("layer", View(atlas=atlas.id, layer=neighbour))
