"""An image before and after, under one sliding seam, with the pictures on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.assets import text

_viewer = st.components.v2.component(
    "strata_viewer", html=text("viewer.html"), css=text("viewer.css"), js=text("viewer.js")
)


@dataclass(frozen=True)
class Frame:
    """One picture on the way, by address."""

    url: str
    label: str


def viewer(
    before: str, frames: list[Frame], download: str | None, *, key: str, film: int = 84, beside: int = 330
) -> None:
    """film: height of the small pictures, px · beside: what else stands above and below on the page, px."""
    data = {
        "before": before,
        "frames": [asdict(frame) for frame in frames],
        "download": download,
        "film": film,
        "beside": beside,
    }
    _viewer(key=key, data=data)
