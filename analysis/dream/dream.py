"""Inceptionism: rewrite an image by what a layer learned, octave by octave.

After Mordvintsev, Olah and Tyka 2015 (google/deepdream): at each octave, from small to full size, a few steps of
gradient ascent on the layer's energy; between octaves only the *detail*, what the net added, is carried, so that the
image itself stays as sharp as it came.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from analysis.dream.gradient import equalized, natural_colors
from analysis.dream.parameters import DreamParameters
from analysis.dream.tiles import blended_gradient, cut
from analysis.errors import StrataError
from analysis.features.size import takes
from analysis.models.capture import run_to
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model, ModelCard

LARGEST_TILE = 640
"""Larger octaves are cut, so that a 1,600 px image does not need 1,600 px of memory in every layer."""


@dataclass(frozen=True)
class Frame:
    """The dream after one step.

    image    : [1, C, h, w] in [0, 1] at the size of its octave; the last frame has the size of the input
    octave   : counted from 0 (smallest), of `octaves`
    step     : counted from 0 within the octave
    fraction : share of the work done, (0, 1]; the last frame has 1
    """

    image: Tensor
    octave: int
    octaves: int
    step: int
    fraction: float


def dream(
    model: Model,
    image: Tensor,
    layer: str,
    channel: int | None = None,
    parameters: DreamParameters | None = None,
) -> Iterator[Frame]:
    """Dream on [1, C, H, W] in [0, 1], any H and W; yields after every step, so a caller may show or stop it.

    layer   : what is amplified: its energy (mean square of what is active), or the mean of one `channel`
    Raises StrataError when the image has other channels than the model, or the layer has no such channel.
    """
    parameters = parameters or DreamParameters()
    known = model.card.layer(layer)
    if image.shape[1] != model.card.input.channels:
        raise StrataError(
            f"The image has {image.shape[1]} channels and {model.card.name} takes {model.card.input.channels}. "
            "Give one with as many."
        )
    if channel is not None and not 0 <= channel < known.out_channels:
        raise StrataError(f"{layer} has channels 0 to {known.out_channels - 1}, not {channel}. Choose one of them.")
    # an odd size, as octaves have: what the net must take to be shown whole octaves instead of tiles of its own size
    spec = model.card.input
    free = takes(model, layer, spec.height + 37, spec.width + 37)
    sizes = octave_sizes(image.shape[2], image.shape[3], spec, parameters, free=free)
    done, total = 0.0, float(sum(height * width for height, width in sizes)) * parameters.steps
    generator = Generator().manual_seed(parameters.seed)
    detail = torch.zeros_like(image[..., :1, :1])
    for octave, size in enumerate(sizes):
        base = _resize(image, size)
        current = (base + _resize(detail, size)).clamp(0, 1)
        for step in range(parameters.steps):
            direction = _direction(
                model, current, layer, channel, parameters=parameters, generator=generator, free=free
            )
            current = (current + parameters.step_size * direction).clamp(0, 1)
            done += size[0] * size[1]
            yield Frame(current, octave, len(sizes), step, done / total)
        detail = current - base


def five_layers(card: ModelCard) -> list[str]:
    """Up to five layers from first to last, evenly in depth, for a strip of one image through the whole net.

    Squeezing and pointwise layers are passed over where others are near: they have nothing of their own to show.
    """
    layers = [layer for layer in card.layers if layer.kind == "Conv2d"]
    wide = [layer for layer in layers if max(layer.kernel_size) > 1]
    layers = wide if len(wide) >= 5 else layers
    if len(layers) <= 5:
        return [layer.name for layer in layers]
    return [layers[round(index * (len(layers) - 1) / 4)].name for index in range(5)]


def octave_sizes(
    height: int, width: int, spec: InputSpec, parameters: DreamParameters, *, free: bool
) -> list[tuple[int, int]]:
    """(height, width) of each octave, small to full. The smallest is about what the net was trained to see.

    free : whether the net takes any size
    """
    scale = parameters.octave_scale
    count = parameters.octaves
    if count is None:
        # a net of any size dreams well on images half as large as those it was trained on, and draws larger for it
        room = min(height / spec.height, width / spec.width) * (1.8 if free else 1.15)
        count = 1 + max(0, min(15, math.floor(math.log(room, scale))))
    return [
        (max(1, round(height / scale**power)), max(1, round(width / scale**power))) for power in reversed(range(count))
    ]


def _direction(
    model: Model,
    image: Tensor,
    layer: str,
    channel: int | None,
    *,
    parameters: DreamParameters,
    generator: Generator,
    free: bool,
) -> Tensor:
    """Where to go: the gradient in natural colours and scales, at a mean change of 1 a pixel. [1, C, H, W]"""

    def score(tile: Tensor) -> Tensor:
        maps = run_to(model, tile, layer)
        return maps.relu().square().mean() if channel is None else maps[:, channel].mean()

    spec = model.card.input
    shift_y, shift_x = torch.randint(0, parameters.jitter + 1, (2,), generator=generator).tolist()
    fixed = (None, None) if free else (spec.height, spec.width)
    rows = cut(image.shape[2], shift_y, tile=fixed[0], longest=LARGEST_TILE)
    columns = cut(image.shape[3], shift_x, tile=fixed[1], longest=LARGEST_TILE)
    gradient = blended_gradient(image, rows, columns, score).nan_to_num(0.0, 0.0, 0.0)
    direction = equalized(natural_colors(gradient, parameters.colors), parameters.smoothing)
    return direction / direction.abs().mean().clamp_min(1e-20)


def _resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    return functional.interpolate(image, size, mode="bicubic", antialias=True, align_corners=False)
