"""What a person reads when something can not be shown: a sentence and a next step, never a traceback."""

from __future__ import annotations

import logging
import uuid

import streamlit as st

from analysis.errors import StrataError
from dashboard.library import NotThere

_log = logging.getLogger("strata.dashboard")


def tell(error: StrataError) -> None:
    """Say what is wrong, and offer the nearest place that there is."""
    st.warning(str(error), icon=":material/explore_off:")
    with st.container(horizontal=True):
        if isinstance(error, NotThere) and error.offer.atlas:
            place = error.offer
            parts = (place.atlas, place.other, place.layer, None if place.channel is None else str(place.channel))
            label = " / ".join(part for part in parts if part)
            st.page_link(
                f"views/{error.page}.py",
                label=f"Open {label}",
                icon=":material/near_me:",
                query_params=place.to_query(),
            )
        st.page_link("views/library.py", label="To the library", icon=":material/home:", query_params={})


def tell_failure(error: Exception) -> bool:
    """For whatever no page caught. True: Streamlit shows nothing of its own."""
    if isinstance(error, StrataError):
        tell(error)
        return True
    number = uuid.uuid4().hex[:8]
    _log.error("page failure %s", number, exc_info=error)
    st.error(
        f"This page could not be shown; that is a fault of Strata's. Reload it, and if it stays, report "
        f"number {number}: the details stand under it in the server's log.",
        icon=":material/report:",
    )
    return True
