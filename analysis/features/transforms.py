"""What a picture is shown through at every step, so that it does not live on one pixel grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
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


def draw(wobble: Wobble, generators: Sequence[Generator]) -> Tensor:
    """[N, 2, 3] affine matrices for `affine`, each from its own generator."""
    numbers = torch.stack([torch.rand(4, generator=generator) for generator in generators])
    zoom = 1 - wobble.zoom_out + numbers[:, 0] * (wobble.zoom_in + wobble.zoom_out)
    angle = math.radians(wobble.rotation) * (2 * numbers[:, 1] - 1)
    shift = 2 * wobble.shift * (2 * numbers[:, 2:] - 1)
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
    grid = functional.affine_grid(matrices, list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


class Grain:
    """Cheap noise: one field of normal numbers, of which every picture at every step sees another window."""

    ROOM = 61

    def __init__(self, channels: int, height: int, width: int) -> None:
        self.height, self.width = height, width
        shape = (channels, height + self.ROOM, width + self.ROOM)
        self.field = torch.randn(shape, generator=Generator().manual_seed(0))

    def windows(self, generators: Sequence[Generator]) -> Tensor:
        """[N, C, H, W] of unit deviation."""
        corners = [torch.randint(self.ROOM + 1, (2,), generator=generator).tolist() for generator in generators]
        return torch.stack([self.field[:, y : y + self.height, x : x + self.width] for y, x in corners])
