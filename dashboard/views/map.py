"""A layer's map: its channels where likeness puts them."""

from __future__ import annotations

import streamlit as st

from dashboard.components.map import channel_map
from dashboard.frame import Way, go, heading, view
from dashboard.library import being_built, find_atlas, find_layer, jobs, layers_around
from dashboard.maps import map_request, points_of, without_place
from dashboard.pictures import Sheets
from dashboard.state import MAX_SELECTED, View

EVERY = 2  # s between two looks at a map that is being made
LAYOUTS = {"tsne": "By neighbourhood (t-SNE)", "pca": "By direction (PCA)"}
here = view()
atlas = find_atlas(here, page="map")
layer = find_layer(here, atlas.model, page="map")
place = View(atlas=atlas.id, layer=layer.name)


def wait_for_it() -> None:
    if atlas.map(layer.name) is not None or not being_built(atlas):
        st.rerun()
    st.status("The map is being made. It shows here when it is.", state="running")


def ask_for_it() -> None:
    request = map_request(atlas, layer)
    if request is None:
        st.info("A map needs images: likeness is how alike channels answer to them.", icon=":material/map:")
        return
    st.info("This layer's map is not made yet. It takes one pass over the images, or less.", icon=":material/map:")
    if st.button("Make the map", type="primary", icon=":material/map:"):
        jobs().submit("build", request)
        st.rerun()


def the_map() -> None:
    layout = st.segmented_control(
        "Layout",
        list(LAYOUTS),
        format_func=LAYOUTS.__getitem__,
        default="tsne",
        required=True,
        label_visibility="collapsed",
        key="layout",
        bind="query-params",
    )
    sheets = Sheets()
    points = points_of(atlas, layer, "pca" if layout == "pca" else "tsne", sheets) or []
    walk = layers_around(atlas, layer)
    key = f"map-{atlas.id}-{layer.name}"
    opened, picked, step = channel_map(points, sheets, title=layer.name, room=walk.room, key=key)
    if opened is not None:
        go("channel", place.at(channel=opened))
    neighbour = walk.at(step)
    if neighbour:
        go("map", View(atlas=atlas.id, layer=neighbour))
    if picked:
        chosen = place.at(find=", ".join(map(str, picked)), selected=tuple(picked[:MAX_SELECTED]))
        label = f"Look at the {len(picked)} picked channels together"
        st.page_link("views/layer.py", label=label, icon=":material/grid_view:", query_params=chosen.to_query())
    nowhere = without_place(atlas, layer)
    if nowhere:
        st.caption(f"{nowhere} channels never vary, and lie nowhere.")


heading(
    f"Map of {layer.name}",
    "Channels that answer alike lie close to each other.",
    [Way(atlas.model.name, "overview", View(atlas=atlas.id)), Way(layer.name, "layer", place)],
)
if atlas.map(layer.name) is not None:
    st.fragment(the_map)()
elif being_built(atlas):
    st.fragment(wait_for_it, run_every=EVERY)()
else:
    ask_for_it()
