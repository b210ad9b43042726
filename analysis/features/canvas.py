"""The picture as it is optimised: the phase of every frequency, under the prior's magnitudes and colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from analysis.features.prior import Prior


class Canvas:
    """A batch of pictures of one size, each a field of phases.

    picture = sigmoid(4·(mean + colours · irFFT2(spectrum · e^{i·phase}) − ½)); the slope of that sigmoid is 1 at ½,
    so mid-tones come out as the prior has them and nothing leaves [0, 1].
    (Phase-only parametrisation: MACO, arXiv 2306.06805.)
    """

    def __init__(self, prior: Prior, height: int, width: int, contrast: float = 1.0) -> None:
        self.height, self.width = height, width
        self.shape = (prior.channels, height, width // 2 + 1)
        self.spectrum = prior.at(height, width) * contrast
        self.colors = prior.colors
        self.mean = prior.mean.view(1, -1, 1, 1)

    def start(self, generators: Sequence[Generator]) -> Tensor:
        """[N, C, H, W//2+1] phases, uniform in ±π, each row from its own generator."""
        rows = [torch.rand(self.shape, generator=generator) for generator in generators]
        return (torch.stack(rows) * 2 - 1) * math.pi

    def picture(self, phases: Tensor) -> Tensor:
        """[N, C, H, W//2+1] → [N, C, H, W] in [0, 1]."""
        waves = torch.fft.irfft2(torch.polar(self.spectrum, phases), s=(self.height, self.width), norm="ortho")
        colored = torch.einsum("dc,nchw->ndhw", self.colors, waves)
        return torch.sigmoid(4 * (colored + self.mean - 0.5))
