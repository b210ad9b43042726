"""What a picture is shown through at every step, so that it does not live on one pixel grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.autograd import Function
from torch.nn import functional


@dataclass(frozen=True)
class Wobble:
    """One random affine a picture a step: bounds of zoom (share), rotation (degrees), shift (share of the side)."""

    zoom_out: float = 0.1
    zoom_in: float = 0.3
    rotation: float = 8.0
    shift: float = 0.09
    noise: float = 0.05
    """Standard deviation of the noise, in the net's normalised units."""


def draw(wobble: Wobble, generators: Sequence[Generator], unrest: Tensor) -> Tensor:
    """[N, 2, 3] affine matrices for `affine`, each from its own generator; unrest: [N] how much of the wobble each
    row gets, 0 … 1."""
    numbers = torch.stack([torch.rand(4, generator=generator) for generator in generators])
    zoom = 1 + unrest * (numbers[:, 0] * (wobble.zoom_in + wobble.zoom_out) - wobble.zoom_out)
    angle = math.radians(wobble.rotation) * unrest * (2 * numbers[:, 1] - 1)
    shift = 2 * wobble.shift * unrest[:, None] * (2 * numbers[:, 2:] - 1)
    cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    return torch.stack([torch.stack([cosine, -sine, shift[:, 0]], 1), torch.stack([sine, cosine, shift[:, 1]], 1)], 1)


def affine(pictures: Tensor, matrices: Tensor) -> Tensor:
    """[N, C, H, W] seen through [N, 2, 3]; beyond the border the picture is mirrored. Differentiable."""
    height, width = pictures.shape[-2:]
    if height != width:
        # rotate in pixels, not in shares of unequal sides
        matrices = matrices.clone()
        matrices[:, 0, 1] *= height / width
        matrices[:, 1, 0] *= width / height
    seen: Tensor = _Affine.apply(pictures, matrices)
    return seen


class _Affine(Function):
    """Sampling by an affine map. Its derivative is sampled too, by the inverse map, rather than scattered.

    The two differ by the interpolation of single pixels, which noise of another map at every step drowns, and
    sampling takes a third of the time.
    """

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, matrices: Tensor) -> Tensor:
        matrices = matrices.to(pictures.device)
        ctx.save_for_backward(matrices)
        grid = _grid(matrices, pictures.shape[2], pictures.shape[3])
        return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,), (matrices,) = gradients, ctx.saved_tensors
        (a, b, x), (c, d, y) = matrices.unbind(1)[0].unbind(1), matrices.unbind(1)[1].unbind(1)
        size = a * d - b * c
        inverse = torch.stack(
            [torch.stack([d, -b, b * y - d * x], 1), torch.stack([-c, a, c * x - a * y], 1)], 1
        ) / size.view(-1, 1, 1)
        grid = _grid(inverse, gradient.shape[2], gradient.shape[3])
        back = functional.grid_sample(gradient.contiguous(), grid, padding_mode="zeros", align_corners=False)
        return back / size.abs().view(-1, 1, 1, 1), None


def _grid(matrices: Tensor, height: int, width: int) -> Tensor:
    """What functional.affine_grid gives, [N, H, W, 2], by sums instead of a product."""
    device = matrices.device
    y = ((torch.arange(height, device=device) + 0.5) * (2 / height) - 1).view(1, height, 1)
    x = ((torch.arange(width, device=device) + 0.5) * (2 / width) - 1).view(1, 1, width)
    grid = torch.empty(len(matrices), height, width, 2, device=device)
    for axis in (0, 1):
        row = matrices[:, axis].view(-1, 3, 1, 1)
        torch.add(row[:, 0] * x, row[:, 1] * y + row[:, 2], out=grid[..., axis])
    return grid


class Grain:
    """Cheap noise: one field of normal numbers, of which every picture at every step sees another window."""

    ROOM = 61

    def __init__(self, channels: int, height: int, width: int, device: torch.device) -> None:
        self.height, self.width = height, width
        shape = (channels, height + self.ROOM, width + self.ROOM)
        self.field = torch.randn(shape, generator=Generator().manual_seed(0)).to(device)

    def windows(self, generators: Sequence[Generator]) -> Tensor:
        """[N, C, H, W] of unit deviation."""
        corners = [torch.randint(self.ROOM + 1, (2,), generator=generator).tolist() for generator in generators]
        return torch.stack([self.field[:, y : y + self.height, x : x + self.width] for y, x in corners])
