"""The picture as it is optimised: a wave for every frequency, under the prior's strengths and colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from analysis.features.prior import Prior


class Canvas:
    """A batch of pictures of one size, each a field of complex waves u, kept as [C, H, W//2+1, 2] real numbers.

    picture = sigmoid(4·(mean + colours · irFFT2(spectrum · w) − ½)), w = u·|u|^(freedom − 1).

    With freedom 0 only the phase of u counts, as in MACO (arXiv 2306.06805): every frequency keeps the strength that
    it has in the probe, and a grating or a flat colour can not be made. With freedom 1 strengths are free, as in
    Lucid. Between, they move, but reluctantly. Their sum of squares never exceeds `contrast`² times the prior's: what
    one frequency gains, others lose, which is what keeps noise out.

    The slope of the sigmoid is 1 at ½, so mid-tones come out as the prior has them and nothing leaves [0, 1].
    """

    def __init__(self, prior: Prior, height: int, width: int, *, freedom: float, contrast: float = 1.0) -> None:
        self.height, self.width = height, width
        self.shape = (prior.channels, height, width // 2 + 1, 2)
        self.freedom = freedom
        self.spectrum = prior.at(height, width) * contrast
        self.colors = prior.colors
        self.mean = prior.mean.view(1, -1, 1, 1)
        # half of the frequencies are not stored: all but the first column, and the last of an even width, count twice
        twice = torch.full((width // 2 + 1,), 2.0)
        twice[0] = 1
        if width % 2 == 0:
            twice[-1] = 1
        self._share = self.spectrum.square() * twice
        self._share /= self._share.sum()

    def start(self, generators: Sequence[Generator]) -> Tensor:
        """[N, C, H, W//2+1, 2] waves of unit strength and uniform phase, each row from its own generator."""
        rows = [torch.rand(self.shape[:-1], generator=generator) for generator in generators]
        phases = torch.stack(rows) * (2 * math.pi)
        return torch.stack([phases.cos(), phases.sin()], -1)

    def picture(self, waves: Tensor) -> Tensor:
        """[N, C, H, W//2+1, 2] → [N, C, H, W] in [0, 1]. Periodic: its right edge goes on at its left."""
        square = waves.square().sum(-1).clamp_min(1e-12)
        strength = square**self.freedom
        energy = (strength * self._share).sum((1, 2, 3), keepdim=True)
        scale = self.spectrum * (strength / square / energy.clamp_min(1.0)).sqrt()
        field = torch.view_as_complex(waves * scale[..., None])
        image = torch.fft.irfft2(field, s=(self.height, self.width), norm="ortho")
        colored = (self.colors @ image.flatten(2)).view_as(image)
        return torch.sigmoid(4 * (colored + self.mean - 0.5))
