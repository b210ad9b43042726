"""What every page needs, there before the first visitor comes."""

from __future__ import annotations

import gc
import importlib
import logging
import pkgutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dashboard
from analysis.atlas.glance import believe
from analysis.heap import share_arenas

_log = logging.getLogger("strata.dashboard")
AGE = 1.0
"""Seconds that pages may be behind what a build has made."""
NOT_IMPORTED = ("dashboard.views", "dashboard.app", "dashboard.serve", "dashboard.static")
"""What runs when it is imported, and what is no module."""


@asynccontextmanager
async def warmed(_app: object) -> AsyncIterator[dict[str, object]]:
    """The life of the server, from the moment at which it is ready."""
    share_arenas()
    import_all()
    set_aside()
    believe(AGE)
    threading.Thread(target=look_first, name="first-look", daemon=True).start()
    yield {}


def import_all() -> None:
    """Every module that pages are made of; else the first visitor would wait for them."""
    for module in pkgutil.walk_packages(dashboard.__path__, "dashboard."):
        if not module.name.startswith(NOT_IMPORTED):
            importlib.import_module(module.name)


def look_first() -> None:
    """Read what the library's page reads, and have every atlas judged. The first visitor would wait for the one, and
    for pictures while the server is busy with the other."""
    from dashboard.atlases import atlas_strip
    from dashboard.components.strips import Figure
    from dashboard.findings import count_of
    from dashboard.library import library
    from dashboard.pictures import Sheets

    try:
        atlases = library().atlases()
        for atlas in atlases:
            atlas_strip(atlas, Sheets(), Figure("", ""))
        for atlas in atlases:
            count_of(atlas)
    except Exception:  # a page that reads the same says what is wrong, to whom it concerns
        _log.exception("the library was not read before the first visitor")


def set_aside() -> None:
    """Streamlit collects all garbage after each run of a page. It would look at every function and class of every
    module each time, which takes longer than the page; these never become garbage."""
    gc.collect()
    gc.freeze()
