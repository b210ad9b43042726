"""Random views of a batch, made on whatever device the batch is on: crops, turns, mirrors, light, patches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Views:
    """How far the views of an image may go.

    zoom    : the crop's side as a share of the image's, (least, most)
    stretch : the crop's aspect, up to this factor either way
    turn    : radians either way
    mirror  : mirror half of the images
    light   : brightness, contrast, saturation, each ± this share
    cutmix  : share of batches in which a box of another image is pasted in (Yun 2019, 1905.04899)
    """

    zoom: tuple[float, float] = (1.0, 1.0)
    stretch: float = 1.0
    turn: float = 0.0
    mirror: bool = False
    light: float = 0.0
    cutmix: float = 0.0


def view(images: Tensor, how: Views, generator: torch.Generator) -> Tensor:
    """[B, 3, H, W] in [0, 1] → the same shape, each image seen another way."""

    def uniform(low: float, high: float) -> Tensor:
        draw = torch.rand(len(images), generator=generator, device=generator.device).to(images.device)
        return low + (high - low) * draw

    side = uniform(how.zoom[0] ** 2, how.zoom[1] ** 2).sqrt()
    aspect = how.stretch ** uniform(-0.5, 0.5)
    angle = uniform(-how.turn, how.turn)
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0) if how.mirror else torch.ones_like(side)
    wide, high = side * aspect, side / aspect
    left = uniform(-1, 1) * (1 - wide).clamp(min=0)
    up = uniform(-1, 1) * (1 - high).clamp(min=0)
    rows = [flip * wide * angle.cos(), -high * angle.sin(), left, flip * wide * angle.sin(), high * angle.cos(), up]
    matrix = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    seen = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return _relight(seen, how.light, uniform) if how.light else seen


def _relight(images: Tensor, amount: float, uniform) -> Tensor:  # type: ignore[no-untyped-def]
    def factor() -> Tensor:
        return uniform(1 - amount, 1 + amount).view(-1, 1, 1, 1)

    images = images * factor()
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - mean) * factor() + mean
    grey = images.mean(dim=1, keepdim=True)
    return ((images - grey) * factor() + grey).clamp(0, 1)


def cutmix(images: Tensor, share: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    """Paste a box of another image into each: (images, the other's index, share of the image that is its own)."""
    height, width = images.shape[-2:]
    other = torch.randperm(len(images), generator=generator, device=generator.device).to(images.device)
    side = float((1 - share).sqrt())
    tall, broad = int(height * side), int(width * side)
    top = int(torch.randint(height - tall + 1, (), generator=generator, device=generator.device))
    left = int(torch.randint(width - broad + 1, (), generator=generator, device=generator.device))
    mixed = images.clone()
    mixed[:, :, top : top + tall, left : left + broad] = images[other, :, top : top + tall, left : left + broad]
    return mixed, other, 1 - tall * broad / (height * width)
