"""What makes a gradient beautiful: all scales speak, and colours stay those of the world.

A raw gradient is nearly all fine grain in colours that no camera has seen. Its scales are brought to even strength
(Laplacian pyramid normalisation, Mordvintsev 2016, the DeepDream notebook of TensorFlow) and its colours are
correlated as those of natural images are (the colour matrix that Lucid optimises under).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from analysis.features.prior import LUCID_COLORS

SCALES = (1.0, 2.0, 4.0, 8.0)
"""Standard deviations, px, of the blurs that part the bands; what is left is the last band."""

SPREAD = 1.2
"""How many octaves wide the favoured scale is."""


def natural_colors(gradient: Tensor, share: float) -> Tensor:
    """[N, C, H, W] with its colours correlated: `share` 0 as it is, 1 as natural images are. RGB only."""
    if gradient.shape[1] != 3 or share == 0:
        return gradient
    colors = torch.tensor(LUCID_COLORS)
    correlation = colors @ colors.T
    mix = share * 3 * correlation / correlation.trace() + (1 - share) * torch.eye(3)
    return torch.einsum("dc,nchw->ndhw", mix, gradient)


def equalized(gradient: Tensor, favoured: float) -> Tensor:
    """[N, C, H, W] with each band of scales at unit deviation, weighted around `favoured` px; 0: as it is."""
    if favoured == 0:
        return gradient
    total, rest = torch.zeros_like(gradient), gradient
    for scale in SCALES:
        coarse = blurred(rest, scale)
        total += _weight(scale, favoured) * _unit(rest - coarse)
        rest = coarse
    return total + _weight(2 * SCALES[-1], favoured) * _unit(rest)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of [N, C, H, W], mirrored at the borders."""
    reach = min(math.ceil(3 * sigma), image.shape[2] - 1, image.shape[3] - 1)
    if reach < 1:
        return image
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).repeat(image.shape[1], 1, 1, 1)
    padded = functional.pad(image, (reach,) * 4, mode="reflect")
    down = functional.conv2d(padded, kernel.transpose(2, 3), groups=image.shape[1])
    return functional.conv2d(down, kernel, groups=image.shape[1])


def _unit(band: Tensor) -> Tensor:
    return band / band.square().mean().sqrt().clamp_min(1e-20)


def _weight(scale: float, favoured: float) -> float:
    return math.exp(-((math.log2(scale / favoured) / SPREAD) ** 2) / 2)
