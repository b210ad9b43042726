"""Where in an image a channel answers: its map after the activation, laid over the image that it saw."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from analysis.models.layers import ConvLayer
from analysis.statistics.follow import Follow


def let_through(maps: Tensor, follow: Follow) -> Tensor:
    """A conv's own output [n, C, h, w] → what the norm and the activation that follow make of it.

    In a residual block the normalised output alone, before the sum.
    """
    scale, shift = (torch.from_numpy(each).to(maps).view(1, -1, 1, 1) for each in (follow.scale, follow.shift))
    normal = maps * scale + shift
    if follow.function is not None:
        through: Tensor = follow.function(normal.flatten(2)).view_as(normal)
        return through
    return normal.clamp(*follow.bounds)


def over_image(maps: Tensor, layer: ConvLayer, size: tuple[int, int], side: int) -> Tensor:
    """[n, h, w] maps → [n, side, side] that covers the whole image, edge to edge, whatever its proportions.

    Position (y, x) of a map is drawn where the middle of its receptive field lies: `layer.offset` + y·`layer.jump`.
    Between positions values are interpolated, beyond the outermost ones continued; a cell is no less than any position
    in it, so that no peak is lost. size: (height, width) px of the image that the map is of
    """
    height, width = maps.shape[-2:]
    jump, offset = _geometry(layer, (height, width), size)
    axes = list(zip(size, offset, jump, (height, width), strict=True))
    places = [_places(length, side, start, step, count) for length, start, step, count in axes]
    grid = torch.stack(torch.meshgrid(*places, indexing="ij")[::-1], -1).expand(len(maps), -1, -1, -1)
    found = functional.grid_sample(maps[:, None], grid.to(maps), padding_mode="border", align_corners=True)
    rows, columns = (_cells(length, side, start, step, count) for length, start, step, count in axes)
    cells = (rows[:, None] * side + columns).flatten().expand(len(maps), -1)
    return found.flatten(1).scatter_reduce(1, cells, maps.flatten(1), "amax").view(-1, side, side)


def shades(heat: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """[n, side, side] → the same in uint8, each from its darkest to its brightest, and what is between these, [n].

    Darkest is 0, or the least value where that lies below: behind a ReLU nothing does, and a map that is nowhere above
    zero has no shades at all.
    """
    flat = heat.flatten(1).nan_to_num(0.0, 0.0, 0.0)
    low = flat.amin(1).clamp_max(0.0)
    reach = flat.amax(1) - low
    share = (flat - low[:, None]) / reach.clamp_min(torch.finfo(flat.dtype).tiny)[:, None]
    return (share * 255).round().to(torch.uint8).view(heat.shape).numpy(), reach.numpy()


def _geometry(
    layer: ConvLayer, found: tuple[int, int], size: tuple[int, int]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """(jump, offset) of the map's positions in px; spread evenly over the image where the layer's are not known."""
    if layer.jump is not None and layer.offset is not None and min(layer.jump) > 0:
        return layer.jump, layer.offset
    rows, columns = size[0] / found[0], size[1] / found[1]
    return (rows, columns), ((rows - 1) / 2, (columns - 1) / 2)


def _places(length: int, cells: int, start: float, step: float, count: int) -> Tensor:
    """Where the middles of `cells` equal cells of a stretch of `length` px lie on a map: −1 first, 1 last position."""
    pixels = (torch.arange(cells) + 0.5) * (length / cells) - 0.5
    return 2 * (pixels - start) / step / max(1, count - 1) - 1


def _cells(length: int, cells: int, start: float, step: float, count: int) -> Tensor:
    """The cell that each position of a map lies in; the nearest, of one that lies beyond the image."""
    middles = start + torch.arange(count) * step + 0.5
    return (middles * (cells / length)).floor().long().clamp(0, cells - 1)
