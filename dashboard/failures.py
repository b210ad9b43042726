"""What a person reads when something can not be shown: a sentence and a next step, never a traceback."""

from __future__ import annotations

import logging
import uuid

import streamlit as st

from analysis.errors import StrataError
from dashboard.frame import heading, is_headed, plain
from dashboard.library import NotThere
from dashboard.state import Unreadable, View

_log = logging.getLogger("strata.dashboard")


def tell(error: StrataError, page: str = "") -> None:
    """Say what is wrong, and offer the nearest place that there is. page: the one that could not be shown."""
    _title("Not found" if isinstance(error, NotThere | Unreadable) else "This can not be shown")
    st.warning(plain(str(error)), icon=":material/explore_off:")
    with st.container(horizontal=True):
        there, place = _nearest(error, page)
        if there and place.atlas:
            parts = (place.atlas, place.other, place.layer, None if place.channel is None else str(place.channel))
            label = " / ".join(part for part in parts if part)
            st.page_link(
                f"views/{there}.py",
                label=f"Open {plain(label)}",
                icon=":material/near_me:",
                query_params=place.to_query(),
            )
        st.page_link("views/library.py", label="To the library", icon=":material/home:", query_params={})


def _nearest(error: StrataError, page: str) -> tuple[str, View]:
    if isinstance(error, NotThere):
        return error.page, error.offer
    if isinstance(error, Unreadable):  # the page without that part; a channel's page without a channel is its layer's
        return "layer" if (page, error.name) == ("channel", "channel") else page, error.rest
    return "", View()


def tell_failure(error: Exception, page: str = "") -> bool:
    """For whatever no page caught. True: Streamlit shows nothing of its own."""
    if isinstance(error, StrataError):
        tell(error, page)
        return True
    number = uuid.uuid4().hex[:8]
    _log.error("page failure %s", number, exc_info=error)
    _title("Something went wrong")
    st.error(
        f"This page could not be shown; that is a fault of Strata's. Reload it, and if it stays, report "
        f"number {number}: the details stand under it in the server's log.",
        icon=":material/report:",
    )
    return True


def _title(title: str) -> None:
    """Where the page had none by then."""
    if not is_headed():
        heading(title, crumbs=[])
