"""Two atlases side by side: layer by layer, then channel by channel under one cursor."""

from __future__ import annotations

import difflib

import pandas as pd
import streamlit as st

from analysis.atlas.atlas import Atlas
from dashboard.comparisons import (
    layer_pairs,
    natural_pair,
    nothing_shared,
    pair_facts,
    pair_head,
    pair_strips,
    summary,
)
from dashboard.components.grid import grid
from dashboard.components.strips import strips
from dashboard.frame import go, heading, plain, remember, view
from dashboard.library import NotThere, find_atlas, library
from dashboard.pictures import Sheets
from dashboard.state import View

here = view()
atlases = {atlas.id: atlas for atlas in library().atlases()}
named = (
    find_atlas(here, "compare", "atlas").id if here.atlas else "",
    find_atlas(here, "compare", "other").id if here.other else "",
)
heading("Compare", "Two models, layer by layer: what moved, what died, what looks different.")
if len(atlases) < 2:
    st.info("There is something to compare when the library has two atlases.", icon=":material/compare:")
    st.stop()


pair = named if all(named) else natural_pair(list(atlases.values()), named[0] or named[1])
if pair != (here.atlas, here.other):  # an address that names less leads to the one that names both
    go("compare", here.at(atlas=pair[0], other=pair[1]), replace=True)


def called(atlas_id: str) -> str:
    atlas = atlases[atlas_id]
    twins = [each for each in atlases.values() if each.model.name == atlas.model.name]
    return atlas.model.name if len(twins) == 1 else f"{atlas.model.name} ({atlas_id})"


def choose(label: str, current: str) -> str:
    ids = list(atlases)
    return str(st.selectbox(label, ids, index=ids.index(current), format_func=called))


first, second = st.columns(2)
with first:
    id_a = choose("First", pair[0])
with second:
    id_b = choose("Second", pair[1])
if (id_a, id_b) != pair:
    here = here.at(atlas=id_a, other=id_b)
    remember(here, moved=("atlas", "other"))
a, b = atlases[id_a], atlases[id_b]


def all_layers(a: Atlas, b: Atlas, pairs: pd.DataFrame) -> None:
    st.markdown(plain(summary(a, b, pairs)))
    sheets = Sheets()
    rows = pair_strips(a, b, pairs, View(atlas=a.id, other=b.id), sheets)
    opened = strips(rows, sheets, key=f"pairs-{a.id}-{b.id}", head=pair_head(a, b), left="190px", figure=82, tile=52)
    if opened:
        go("compare", View(atlas=a.id, other=b.id, layer=opened))


@st.fragment
def one_layer(a: Atlas, b: Atlas, layer_a: str | None, layer_b: str | None) -> None:
    facts = pair_facts(a, b, layer_a, layer_b)
    opened, _ = grid(
        title=f"{layer_a or layer_b} in both",
        channels=facts.channels,
        panels=facts.panels,
        sheets=facts.sheets,
        statistics=facts.statistics,
        labels=facts.labels,
        highlights=facts.highlights,
        view=view().at(atlas=a.id, other=b.id),
        on_view=lambda new: remember(new, moved=("atlas", "other")),
        key=f"pair-{a.id}-{b.id}-{layer_a}-{layer_b}",
    )
    if opened:
        atlas, layer = ((a, layer_a), (b, layer_b))[opened.panel]
        if layer:
            go("channel", View(atlas=atlas.id, layer=layer, channel=opened.channel))
        st.rerun(scope="fragment")


pairs = layer_pairs(a, b)
if here.layer:
    row = pairs[(pairs["layer_a"] == here.layer) | (pairs["layer_b"] == here.layer)]
    if row.empty:
        names = [name for name in pd.concat([pairs["layer_a"], pairs["layer_b"]]) if isinstance(name, str)]
        near = difflib.get_close_matches(here.layer, names, n=1, cutoff=0)
        said = f"Neither model has a layer “{here.layer}”." + (f" The nearest is {near[0]}." if near else "")
        raise NotThere(said, "compare", View(atlas=a.id, other=b.id, layer=near[0] if near else ""))
    layer_a, layer_b = (name if isinstance(name, str) else None for name in row.iloc[0][["layer_a", "layer_b"]])
    with st.container(horizontal=True, vertical_alignment="center", key="pair-title"):
        st.page_link(
            "views/compare.py",
            label="All layers",
            icon=":material/arrow_back:",
            query_params=View(atlas=a.id, other=b.id).to_query(),
        )
        st.subheader(plain(here.layer), anchor=False)
    one_layer(a, b, layer_a, layer_b)
elif reason := nothing_shared(a, b, pairs):
    st.info(plain(reason), icon=":material/compare:")
else:
    all_layers(a, b, pairs)
