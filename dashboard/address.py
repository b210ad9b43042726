"""A view as a link that any browser can open."""

from __future__ import annotations

from urllib.parse import urlencode

from dashboard.state import View


def link(page: str, view: View) -> str:
    """`/layer?atlas=…&layer=…`."""
    return f"/{page}?{urlencode(view.to_query())}"
