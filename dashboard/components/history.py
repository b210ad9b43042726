"""Browser back and forward go one place at a time."""

from __future__ import annotations

import streamlit as st

from dashboard.components.assets import text

_history = st.components.v2.component("strata_history", js=text("history.js"))


def history() -> None:
    with st.container(key="history"):
        _history(key="history-of-places")
