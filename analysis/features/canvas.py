"""The picture as it is optimised: a wave for every frequency, under the prior's strengths and colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch.autograd import Function

from analysis.features.prior import Prior

CPU = torch.device("cpu")


class Canvas:
    """A batch of pictures of one size, each a field of complex waves u, kept as [C, H, W//2+1, 2] real numbers.

    picture = sigmoid(4·(mean + colours · irFFT2(spectrum · w) − ½)), w = u·|u|^(freedom − 1).

    With freedom 0 only the phase of u counts, as in MACO (arXiv 2306.06805): every frequency keeps the strength that
    it has in the probe, and a grating or a flat colour can not be made. With freedom 1 strengths are free, as in
    Lucid. Between, they move, but reluctantly. Their sum of squares never exceeds `contrast`² times the prior's: what
    one frequency gains, others lose, which is what keeps noise out.

    The slope of the sigmoid is 1 at ½, so mid-tones come out as the prior has them and nothing leaves [0, 1].
    """

    def __init__(
        self,
        prior: Prior,
        height: int,
        width: int,
        *,
        freedom: float,
        contrast: float = 1.0,
        begin: float = 1.0,
        device: torch.device = CPU,
    ) -> None:
        self.height, self.width = height, width
        self.shape = (prior.channels, height, width // 2 + 1, 2)
        self.freedom, self.begin = freedom, begin
        self.spectrum = (prior.at(height, width) * contrast).to(device)
        self.colors = prior.colors.to(device)
        self.mean = prior.mean.view(1, -1, 1, 1).to(device)
        # half of the frequencies are not stored: all but the first column, and the last of an even width, count twice
        self.twice = torch.full((width // 2 + 1,), 2.0, device=device)
        self.twice[0] = 1
        if width % 2 == 0:
            self.twice[-1] = 1
        share = self.spectrum.square() * self.twice
        self.share = share / share.sum()

    def start(self, generators: Sequence[Generator]) -> Tensor:
        """[N, C, H, W//2+1, 2] waves of strength `begin` and uniform phase, each row from its own generator."""
        rows = [torch.rand(self.shape[:-1], generator=generator) for generator in generators]
        # drawn on the processor: the same start on every device
        phases = torch.stack(rows).to(self.spectrum.device) * (2 * math.pi)
        return torch.stack([phases.cos(), phases.sin()], -1).mul_(self.begin)

    def picture(self, waves: Tensor) -> Tensor:
        """[N, C, H, W//2+1, 2] → [N, C, H, W] in [0, 1]. Periodic: its right edge goes on at its left."""
        made: Tensor = _Picture.apply(waves, self)
        return made


class _Picture(Function):
    """Canvas.picture with its derivative written out: a third of the time that autograd's chain of small steps takes.

    With s = |u|², q = s^(freedom − 1), E = max(1, Σ share·q·s) and k = spectrum·√(q/E), the field is z = k·u. If G is
    the derivative by z and r = Re(conj(G)·z), that by u is
    k·G + u·((freedom − 1)·r/s − [E > 1]·freedom·share·q·Σr/E).
    """

    @staticmethod
    def forward(ctx: Any, waves: Tensor, canvas: Canvas) -> Tensor:
        square = _square(waves)
        decline = square ** (canvas.freedom - 1)
        energy = (canvas.share * decline * square).sum((1, 2, 3), keepdim=True).clamp_min_(1.0)
        scale = canvas.spectrum * (decline / energy).sqrt_()
        field = torch.view_as_complex(waves) * scale
        image = torch.fft.irfft2(field, s=(canvas.height, canvas.width), norm="ortho")
        colored = (canvas.colors @ image.flatten(2)).view_as(image)
        picture = (colored.add_(canvas.mean - 0.5).mul_(4)).sigmoid_()
        ctx.save_for_backward(waves, square, decline, energy, scale, field, picture)
        ctx.canvas = canvas
        return picture

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        waves, square, decline, energy, scale, field, picture = ctx.saved_tensors
        canvas: Canvas = ctx.canvas
        slope = (1 - picture).mul_(picture).mul_(gradient).mul_(4)
        by_image = (canvas.colors.T @ slope.flatten(2)).view_as(slope)
        by_field = torch.fft.rfft2(by_image, norm="ortho").mul_(canvas.twice)
        parts, along = torch.view_as_real(by_field), torch.view_as_real(field)
        product = parts[..., 0] * along[..., 0] + parts[..., 1] * along[..., 1]
        pull = product.sum((1, 2, 3), keepdim=True).div_(energy).mul_(energy > 1).mul_(-canvas.freedom)
        inward = (canvas.share * decline).mul_(pull).add_(product.div_(square), alpha=canvas.freedom - 1)
        by_waves = by_field.mul_(scale).add_(torch.view_as_complex(waves) * inward)
        return torch.view_as_real(by_waves), None


def _square(waves: Tensor) -> Tensor:
    real, imaginary = waves[..., 0], waves[..., 1]
    return (real * real).addcmul_(imaginary, imaginary).clamp_min_(1e-12)
