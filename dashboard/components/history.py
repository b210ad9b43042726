"""Browser back and forward go one place at a time."""

from __future__ import annotations

import streamlit as st

from dashboard.components.assets import text

_history = st.components.v2.component("strata_history", js=text("history.js"))


def history() -> None:
    with st.container(key="history"):
        _history(key="history-of-places")


def instead(address: str) -> None:
    """Lead the browser to an address that takes the place of this page's own in its history: Back does not return."""
    with st.container(key="instead"):
        _history(key="history-instead", data={"instead": address})
