"""A place to drop a file on: it is streamed to the server as it is, with its progress."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dashboard.components.assets import text
from dashboard.opening.allowed import Kind

_dropzone = st.components.v2.component(
    "strata_dropzone", html=text("dropzone.html"), css=text("dropzone.css"), js=text("dropzone.js")
)


def dropzone(kind: Kind | Literal["photo"], title: str, about: str, *, key: str) -> str | None:
    """Mount it. Returns the id of an upload that came to its end in this run."""
    data = {"to": f"/bring/{kind}", "title": title, "about": about}
    result = _dropzone(key=key, data=data, on_brought_change=lambda: None)
    return str(result.brought) if result.brought is not None else None
