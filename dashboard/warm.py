"""What every page needs, there before the first visitor comes."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dashboard
from analysis.atlas.glance import believe
from analysis.heap import share_arenas

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
    yield {}


def import_all() -> None:
    """Every module that pages are made of; else the first visitor would wait for them."""
    for module in pkgutil.walk_packages(dashboard.__path__, "dashboard."):
        if not module.name.startswith(NOT_IMPORTED):
            importlib.import_module(module.name)


def set_aside() -> None:
    """Streamlit collects all garbage after each run of a page. It would look at every function and class of every
    module each time, which takes longer than the page; these never become garbage."""
    gc.collect()
    gc.freeze()
