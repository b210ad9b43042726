"""How large a picture a layer needs: what it can see, and no more."""

from __future__ import annotations

import math

from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer

SMALLEST = 64
"""Below this a picture is a stamp: hard to read, and borders are most of it."""

LARGEST = 128
"""Nets that take any size are shown no more than this unless asked: it holds what a channel wants, at a third of the
cost of 224."""


def canvas_size(layer: ConvLayer, spec: InputSpec, asked: int | None = None) -> tuple[int, int]:
    """(height, width) px of the pictures of a layer.

    A net of one size gets that size. One of any size gets the layer's receptive field and as much again for
    borders and wobble, between SMALLEST and LARGEST, in the proportions of the input, or `asked` as the short side.
    """
    if not spec.any_size:
        return spec.height, spec.width
    short = min(spec.height, spec.width)
    if asked is None:
        field = max(layer.receptive_field or (short, short))
        stride = max(1, math.ceil(max(layer.jump or (1, 1))))
        wanted = math.ceil(2 * field / stride) * stride
        asked = min(max(wanted, SMALLEST), LARGEST, short)
    return round(asked * spec.height / short), round(asked * spec.width / short)
