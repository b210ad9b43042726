"""How large a picture a layer needs: what it can see, and no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer

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


def view_of(layer: ConvLayer, spec: InputSpec, asked: int | None = None) -> View:
    """The view of a layer.

    A net of one size gets that size. One of any size gets one and a half times the layer's receptive field, between
    SMALLEST and LARGEST, in the proportions of the input, or `asked` as the short side. Where the field is small
    beside the picture, what the channel wants is a texture: the picture is made periodic, so that it has no borders.
    """
    short = min(spec.height, spec.width)
    field = min(short, max(layer.receptive_field)) if layer.receptive_field else short
    stride = max(1, math.ceil(max(layer.jump or (1, 1))))
    shallow = 1 - field / short
    if not spec.any_size:
        return View(spec.height, spec.width, 0, 0, shallow)
    side = asked or min(max(math.ceil(1.5 * field / stride) * stride, SMALLEST), LARGEST, short)
    height, width = round(side * spec.height / short), round(side * spec.width / short)
    if field > SMALL_FIELD * side or field >= short:
        return View(height, width, 0, 0, shallow)
    # as wide as half the field, rounded up to whole strides so that the map stays aligned
    steps = math.ceil(field / 2 / stride)
    return View(height, width, steps * stride, steps, shallow)
