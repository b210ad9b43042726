"""The library: every atlas there is, newest first."""

from __future__ import annotations

import streamlit as st

from dashboard.atlases import atlas_strip
from dashboard.components.strips import strips
from dashboard.findings import count_of
from dashboard.frame import Way, go, heading, plain
from dashboard.library import builds_to_come, library
from dashboard.opening.samples import choose_sample
from dashboard.pictures import Sheets
from dashboard.state import View

heading(
    "Library",
    "An atlas shows what every layer of one model learned, on one set of images. Open one.",
    beside=[Way("Open a model", "open", View(), ":material/add:")],
)


def nothing_yet() -> None:
    st.info(
        "Nothing here yet. Open a model, take one of the samples below, or make the first atlas on the command line:",
        icon=":material/collections_bookmark:",
    )
    st.code("strata build MODEL_FILE --images FOLDER", language="bash")
    chosen = choose_sample()
    if chosen:
        go("open", View(file=chosen))


def cards() -> None:
    atlases = library().atlases()
    coming = builds_to_come() if not atlases else []
    if coming:
        st.info(
            f"The first atlas is on its way: {plain(', '.join(coming))}. It shows here by itself.",
            icon=":material/hourglass_top:",
        )
        st.page_link("views/jobs.py", label="See how far it is", icon=":material/list_alt:", query_params={})
        return
    if not atlases:
        nothing_yet()
        return
    sheets = Sheets()
    opened = strips(
        [atlas_strip(atlas, sheets, count_of(atlas)) for atlas in atlases],
        sheets,
        key="atlases",
        tile=76,
        left="300px",
        figure=92,
        cards=True,
    )
    if opened:
        go("overview", View(atlas=opened))


st.fragment(cards, run_every=5 if library().atlases() else 2)()
