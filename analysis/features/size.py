"""How large a picture a layer needs: what it can see, and no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from analysis.models.capture import run_to
from analysis.models.heads import run_head
from analysis.models.model import Model

SMALLEST = 48
"""Below this a picture is a stamp and hard to read."""

LARGEST = 128
"""Nets that take any size are shown no more than this unless asked: it holds what a channel wants, at a third of the
cost of 224."""

SMALL_FIELD = 1 / 3
"""Share of the picture below which a receptive field counts as small."""


@dataclass(frozen=True)
class View:
    """How the pictures of a layer are shown to the net.

    height, width : of a picture, px
    wrap          : px that the picture goes on beyond each border, as the periodic texture that it is, when shown
    inner         : rows and columns at each side of the map that see beyond that and are not counted
    shallow       : 1 where the layer sees a point, 0 where it sees the whole input
    """

    height: int
    width: int
    wrap: int
    inner: int
    shallow: float


def view_of(model: Model, name: str, asked: int | None = None) -> View:
    """The view of a layer or head. Raises StrataError for one that the model does not have.

    Where the net up to the layer takes only its own size, that. Elsewhere one and a half times the layer's receptive
    field, between SMALLEST and LARGEST, in the proportions of the input, or `asked` as the short side. Where the field
    is small beside the picture, what the channel wants is a texture: the picture is periodic, so it has no borders.
    """
    spec = model.card.input
    short = min(spec.height, spec.width)
    if model.card.is_head(name):
        return _view_of_head(model, name, asked or min(LARGEST, short))
    layer = model.card.layer(name)
    field = min(short, max(layer.receptive_field)) if layer.receptive_field else short
    stride = max(1, math.ceil(max(layer.jump or (1, 1))))
    shallow = 1 - field / short
    whole = View(spec.height, spec.width, 0, 0, shallow)
    side = asked or min(max(math.ceil(1.5 * field / stride) * stride, SMALLEST), LARGEST, short)
    height, width = round(side * spec.height / short), round(side * spec.width / short)
    view = View(height, width, 0, 0, shallow)
    if field <= SMALL_FIELD * side and field < short:
        # as wide as half the field, rounded up to whole strides so that the map stays aligned
        steps = math.ceil(field / 2 / stride)
        view = View(height, width, steps * stride, steps, shallow)
    return view if takes(model, name, height + 2 * view.wrap, width + 2 * view.wrap) else whole


def _view_of_head(model: Model, name: str, side: int) -> View:
    """A head sees the whole picture; smaller ones do where the net takes them and answers with as many classes."""
    spec = model.card.input
    short = min(spec.height, spec.width)
    view = View(round(side * spec.height / short), round(side * spec.width / short), 0, 0, 0.0)
    pictures = torch.full((2, spec.channels, view.height, view.width), 0.5, device=model.device)
    try:
        with torch.no_grad():
            fits = run_head(model, pictures, name).shape == (2, model.card.heads[name], 1, 1)
    except Exception:  # whatever the net's own code raises when shapes do not fit
        fits = False
    return view if fits else View(spec.height, spec.width, 0, 0, 0.0)


def takes(model: Model, name: str, height: int, width: int) -> bool:
    """Whether the net can be run up to this layer on images of another size, and answers with a map in proportion.

    Tried, not believed: a flattened head behind the layer does not matter, a reshape before it does.
    """
    layer, spec = model.card.layer(name), model.card.input
    if (height, width) == (spec.height, spec.width):
        return True
    pictures = torch.full((2, spec.channels, height, width), 0.5, device=model.device)
    try:
        with torch.no_grad():
            maps = run_to(model, pictures, name)
    except Exception:  # whatever the net's own code raises when shapes do not fit
        return False
    if maps.shape[:2] != (2, layer.out_channels) or maps.dim() != 4:
        return False
    jump = layer.jump or (1.0, 1.0)
    sizes = zip((height, width), maps.shape[-2:], jump, strict=True)
    return all(abs(side / step - found) <= 0.25 * side / step + 3 for side, found, step in sizes)
