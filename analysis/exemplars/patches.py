"""Where in the image a map position looks, and the square tile a person is shown of it."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from analysis.encoding import in_three_colors
from analysis.models.layers import ConvLayer

LEAST_SHARE, LEAST_SIDE = 1 / 16, 8
"""A patch is no smaller than this share of the image's short side, or so many px: three pixels alone show nothing."""


def patch_box(layer: ConvLayer | None, y: int, x: int, height: int, width: int) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) in px of the prepared image, a square around the receptive field of (y, x).

    The side is the receptive field's, but no less than what can be read and no more than the image's short side. A
    square that would leave the image is pushed back into it. The centred square where the field is not known.
    """
    short = min(height, width)
    if layer is None or layer.receptive_field is None or layer.jump is None or layer.offset is None:
        side, centre = short, ((height - 1) / 2, (width - 1) / 2)
    else:
        side = min(short, max(*layer.receptive_field, LEAST_SIDE, math.ceil(short * LEAST_SHARE)))
        centre = (layer.offset[0] + y * layer.jump[0], layer.offset[1] + x * layer.jump[1])
    top = min(max(round(centre[0] - (side - 1) / 2), 0), height - side)
    left = min(max(round(centre[1] - (side - 1) / 2), 0), width - side)
    return top, left, top + side, left + side


def tile_of(picture: Image.Image, box: tuple[int, int, int, int], size: int) -> np.ndarray:
    """What `picture_of` an image shows in the box → [size, size, 3] uint8; small patches are magnified smoothly."""
    top, left, bottom, right = box
    return _resized(picture.crop((left, top, right, bottom)), size, size)


def shown(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """image [C, H, W] in [0, 1] → [height, width, 3] uint8."""
    return _resized(picture_of(image), height, width)


def picture_of(image: np.ndarray) -> Image.Image:
    """image [C, H, W] in [0, 1] → RGB, in the colours that synthetic pictures of such inputs are shown in."""
    return Image.fromarray(np.ascontiguousarray(in_three_colors(image)))


def _resized(picture: Image.Image, height: int, width: int) -> np.ndarray:
    kind = Image.Resampling.BICUBIC if height > picture.height else Image.Resampling.LANCZOS
    return np.asarray(picture.resize((width, height), kind))
