"""The library that this dashboard shows, and the places in it that an address names."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from analysis.atlas.atlas import Atlas
from analysis.atlas.glance import forget, glance
from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.table import LOST_AFTER, Job, Jobs, Kind
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard
from analysis.unit import HEAD
from dashboard.state import View

CLASSES = "classes"
"""The kind of a head among the layers."""
OUTPUTS = "outputs"
"""The technique that measures heads."""
ASKER = "a browser"
"""Who asks for what is asked for here: somebody, for whom a job goes on that another one stops waiting for."""
NEAREST = " The nearest is "
"""What analysis.atlas.library says before the nearest name that it knows."""
RECENT = 40
"""Jobs that are looked through for one that is under way."""


class NotThere(StrataError):
    """An address that leads nowhere, with the nearest place that there is."""

    def __init__(self, message: str, page: str = "library", offer: View | None = None) -> None:
        super().__init__(message)
        self.page = page
        self.offer = offer or View()


def library() -> Library:
    """The library in STRATA_LIBRARY, else ./library."""
    return _library(os.environ.get("STRATA_LIBRARY") or "library")


def hands() -> int:
    """How many processes the engine works with: STRATA_WORKERS, which `strata serve` sets, else one a core."""
    return int(os.environ.get("STRATA_WORKERS") or 0) or len(os.sched_getaffinity(0))


def jobs() -> Jobs:
    return _jobs(library().database_url)


def recent_jobs() -> Sequence[Job]:
    """The jobs that were asked for last, as they were a moment ago; with those that `file_job` filed."""
    return glance(("jobs", library().database_url), lambda: jobs().recent(RECENT))


def file_job(kind: Kind, request: Mapping[str, Any]) -> Job:
    """Ask for a job; every page sees it from now on."""
    job = jobs().submit(kind, request, ASKER)
    forget()
    return job


@cache
def _library(root: str) -> Library:
    return Library(root)


@cache
def _jobs(url: str) -> Jobs:
    return Jobs(url)


def find_atlas(view: View, page: str = "overview", side: Literal["atlas", "other"] = "atlas") -> Atlas:
    """The atlas that the address names. Raises NotThere, offering the nearest, where there is none.

    page : where the offer leads · side: which of a comparison's two
    """
    name = view.atlas if side == "atlas" else view.other
    if not name:
        raise NotThere("The address names no atlas. Choose one in the library.")
    try:
        return library().atlas(name)
    except StrataError as error:
        taken = view.other if side == "atlas" else view.atlas  # what is compared already is no offer
        others = [atlas.id for atlas in library().atlases() if not taken or not atlas.id.startswith(taken)]
        near = difflib.get_close_matches(name, others, n=1, cutoff=0)
        offer = View(atlas=view.atlas, other=view.other).at(**{side: near[0]}) if near else None
        said, _, nearest = str(error).partition(NEAREST)
        said += f"{NEAREST}{near[0]}." if nearest and near else ""
        raise NotThere(said, page if near else "library", offer) from None


def find_layer(view: View, model: ModelCard, page: str = "layer") -> ConvLayer:
    """The layer that the address names. Raises NotThere, offering the nearest, where the model has no such layer, and
    the overview where none is named."""
    if not view.layer:
        raise NotThere(f"The address names no layer of {model.name}. Choose one.", "overview", View(atlas=view.atlas))
    layers = {layer.name: layer for layer in layers_of(model)}
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


@dataclass(frozen=True)
class Walk:
    """The layers that have something to show, in order, and the place of one of them."""

    names: tuple[str, ...]
    place: int

    @property
    def room(self) -> tuple[int, int]:
        """The steps there are, back (≤ 0) and on (≥ 0)."""
        return -self.place, len(self.names) - 1 - self.place

    def at(self, step: int) -> str | None:
        """The layer so many steps on; None for no step, and for one that leads past the ends."""
        there = self.place + step
        return self.names[there] if step and 0 <= there < len(self.names) else None


def layers_around(atlas: Atlas, layer: ConvLayer) -> Walk:
    """The walk through the layers on which this one lies."""
    shown = {each.name for each in layers_with_something(atlas)} | {layer.name}
    names = tuple(each.name for each in layers_of(atlas.model) if each.name in shown)
    return Walk(names, names.index(layer.name))


def being_built(atlas: Atlas) -> bool:
    """Whether an engine makes something of this atlas now, or will: what is not there yet may still come."""
    now = datetime.now(UTC)
    for job in recent_jobs():
        if job.ended or job.kind not in ("build", "render"):
            continue
        lost = job.heartbeat is not None and now - datetime.fromisoformat(job.heartbeat) > 2 * LOST_AFTER
        known = job.result.get("atlas") or job.request.get("atlas")
        if not lost and (known == atlas.id or (known is None and job.request.get("model") == atlas.model.id)):
            return True
    return False


def builds_to_come() -> list[str]:
    """The names of the models of which an atlas is being built, or will be, the first that was asked for first."""
    builds = [job for job in reversed(recent_jobs()) if job.kind == "build" and not job.ended]
    names = {card.id: card.name for card in library().models()}
    wanted = (str(job.request.get("model")) for job in builds)
    return list(dict.fromkeys(names.get(model, model) for model in wanted))


def asked_for(atlas: Atlas, technique: str, layer: str | None = None) -> bool:
    """Whether somebody asked for this of the atlas's model, of that layer where one is named, and it is still to
    come."""
    asked = (job.request for job in recent_jobs() if not job.ended and job.request.get("model") == atlas.model.id)
    return any(
        technique in (request.get("techniques") or {})
        and (layer is None or layer in (request.get("layers") or [layer]))
        for request in asked
    )


def layers_with_something(atlas: Atlas) -> list[ConvLayer]:
    """The layers of which anything was planned; all of them where nothing was."""
    planned = {HEAD if task.layer is None and task.technique == OUTPUTS else task.layer for task in atlas.tasks()}
    return [layer for layer in layers_of(atlas.model) if layer.name in planned] or list(atlas.model.layers)


def layers_of(model: ModelCard) -> list[ConvLayer]:
    """The conv layers, and each head as a layer whose channels are its classes."""
    heads = [_as_layer(name, units) for name, units in model.heads.items() if model.is_head(name)]
    return [*model.layers, *heads]


def _as_layer(head: str, classes: int) -> ConvLayer:
    return ConvLayer(head, CLASSES, 0, classes, (), (), (), (), 1, 0)
