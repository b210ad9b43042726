"""Gradients of images of any size from nets that take one size, or little memory: overlapping tiles, blended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

OVERLAP = 0.25
"""Share of a tile that neighbouring tiles see as well."""


@dataclass(frozen=True)
class Cut:
    """One direction cut into tiles of one length; the first may begin before 0 and the last end after the image."""

    starts: tuple[int, ...]
    length: int


def cut(length: int, shift: int, *, tile: int | None = None, longest: int = 0) -> Cut:
    """Tiles that cover [0, length), the first starting at −shift.

    Either of exactly `tile` px, or as few as can be of at most `longest` px, all of one size.
    """
    whole = length + shift
    size = tile or longest
    count = 1 if whole <= size else math.ceil((whole - size) / (size * (1 - OVERLAP))) + 1
    if tile is None:
        size = math.ceil(whole / (1 + (count - 1) * (1 - OVERLAP)))
    gap = (whole - size) / max(1, count - 1) if count > 1 else 0.0
    return Cut(tuple(round(index * gap) - shift for index in range(count)), size)


def mirrored(start: int, count: int, length: int) -> Tensor:
    """Indices start … start+count−1 of an endless row in which an image of `length` px is mirrored at its ends."""
    period = max(1, 2 * length - 2)
    folded = torch.arange(start, start + count) % period
    return torch.where(folded < length, folded, period - folded)


def taper(count: int, start: int, length: int, total: int) -> Tensor:
    """[count] weights of a tile's pixels: 1 inside, falling to its ends where another tile goes on."""
    ramp = max(1, round(length * OVERLAP))
    position = torch.arange(count) + 0.5
    rising = (position / ramp).clamp(max=1) if start > 0 else torch.ones(count)
    falling = ((count - position) / ramp).clamp(max=1) if start + count < total else torch.ones(count)
    return rising * falling


def blended_gradient(image: Tensor, rows: Cut, columns: Cut, score: Callable[[Tensor], Tensor]) -> Tensor:
    """d score / d image, [1, C, H, W], tile by tile; where tiles overlap, their weighted mean."""
    height, width = image.shape[-2:]
    total, weights = torch.zeros_like(image), torch.zeros_like(image[:, :1])
    for top, left in _places(rows, columns):
        across, down = mirrored(left, columns.length, width), mirrored(top, rows.length, height)
        tile = image[..., down, :][..., across].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(score(tile), tile)
        inner_rows = slice(max(0, -top), min(rows.length, height - top))
        inner_columns = slice(max(0, -left), min(columns.length, width - left))
        weight = (
            taper(rows.length, top, rows.length, height)[:, None]
            * taper(columns.length, left, columns.length, width)[None, :]
        )[inner_rows, inner_columns]
        place = (
            ...,
            slice(top + inner_rows.start, top + inner_rows.stop),
            slice(left + inner_columns.start, left + inner_columns.stop),
        )
        total[place] += gradient[..., inner_rows, inner_columns] * weight
        weights[place] += weight
    return total / weights.clamp_min(1e-6)


def _places(rows: Cut, columns: Cut) -> Iterator[tuple[int, int]]:
    for top in rows.starts:
        for left in columns.starts:
            yield top, left
