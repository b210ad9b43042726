"""The library that this dashboard shows, and the places in it that an address names."""

from __future__ import annotations

import difflib
import os
from functools import cache
from pathlib import Path
from typing import Literal

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.table import Jobs
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard
from dashboard.state import View


class NotThere(StrataError):
    """An address that leads nowhere, with the nearest place that there is."""

    def __init__(self, message: str, page: str = "library", offer: View | None = None) -> None:
        super().__init__(message)
        self.page = page
        self.offer = offer or View()


def library() -> Library:
    """The library in STRATA_LIBRARY, else ./library."""
    return _library(os.environ.get("STRATA_LIBRARY") or "library")


def jobs() -> Jobs:
    return _jobs(library().database_url)


@cache
def _library(root: str) -> Library:
    return Library(Path(root))


@cache
def _jobs(url: str) -> Jobs:
    return Jobs(url)


def find_atlas(view: View, page: str = "overview", side: Literal["atlas", "other"] = "atlas") -> Atlas:
    """The atlas that the address names. Raises NotThere, offering the nearest, where there is none.

    page : where the offer leads · side: which of a comparison's two
    """
    name = view.atlas if side == "atlas" else view.other
    try:
        return library().atlas(name)
    except StrataError as error:
        near = difflib.get_close_matches(name, [atlas.id for atlas in library().atlases()], n=1, cutoff=0)
        offer = View(atlas=view.atlas, other=view.other).at(**{side: near[0]}) if near else None
        raise NotThere(str(error), page if near else "library", offer) from None


def find_layer(view: View, model: ModelCard, page: str = "layer") -> ConvLayer:
    """The layer that the address names. Raises NotThere, offering the nearest, where the model has no such layer."""
    layers = {layer.name: layer for layer in model.layers}
    if view.layer in layers:
        return layers[view.layer]
    near = difflib.get_close_matches(view.layer, layers, n=1, cutoff=0)
    offer = View(atlas=view.atlas, layer=near[0], channel=view.channel if page == "channel" else None)
    raise NotThere(f"{model.name} has no layer “{view.layer}”. The nearest is {near[0]}.", page, offer)


def find_channel(view: View, atlas: Atlas, layer: ConvLayer) -> int:
    """The channel that the address names. Raises NotThere, offering the nearest, where there is no such channel."""
    channel = view.channel if view.channel is not None else 0
    if 0 <= channel < layer.out_channels:
        return channel
    nearest = min(max(channel, 0), layer.out_channels - 1)
    message = f"{layer.name} has channels 0 to {layer.out_channels - 1}, not {channel}. The nearest is {nearest}."
    raise NotThere(message, "channel", View(atlas=atlas.id, layer=layer.name, channel=nearest))


def layers_around(atlas: Atlas, layer: ConvLayer) -> tuple[str | None, str | None]:
    """The names of the layers before and after, of those that have something to show."""
    shown = {each.name for each in layers_with_something(atlas)} | {layer.name}
    names = [each.name for each in atlas.model.layers if each.name in shown]
    place = names.index(layer.name)
    return (names[place - 1] if place else None, names[place + 1] if place + 1 < len(names) else None)


def layers_with_something(atlas: Atlas) -> list[ConvLayer]:
    """The layers of which anything was planned; all of them where nothing was."""
    planned = {task.layer for task in atlas.tasks() if task.layer is not None}
    return [layer for layer in atlas.model.layers if layer.name in planned] or list(atlas.model.layers)
