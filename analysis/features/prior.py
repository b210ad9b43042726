"""What pictures look like before a net has said anything: how strong each frequency is, and which colours go together.

Both are taken from the probe, so the pictures of a net for X-rays look like X-rays and any number of channels works.
The canvas then only decides *where* the structure is (its phase), which is what keeps it free of noise
(MACO, Fel et al. 2023, arXiv 2306.06805, with the spectrum of ImageNet replaced by that of the user's own images).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from analysis.errors import StrataError

LUCID_COLORS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""U·√S of ImageNet's colour covariance as Lucid prints it; column 0 is lightness (lucid/optvis/param/color.py)."""

FALLOFF = 1.25
"""Amplitude of natural images falls as 1/f^1 … 1/f^1.5 (Field 1987); without images we take the middle."""

FEWEST = 16
"""Fewer images than this do not give a spectrum."""


@dataclass(frozen=True)
class Prior:
    """The statistics that every picture of one probe shares.

    spectrum : [C, H, W//2+1] mean |rFFT2| (norm "ortho") of whitened images, colour axis by colour axis
    size     : (H, W) that the spectrum was taken at, px
    colors   : [C, C] U·√S of the channel covariance: whitened → image
    mean     : [C] mean of each channel, in [0, 1]
    """

    spectrum: Tensor
    size: tuple[int, int]
    colors: Tensor
    mean: Tensor

    @property
    def channels(self) -> int:
        return len(self.mean)

    def at(self, height: int, width: int) -> Tensor:
        """The spectrum for another canvas, [C, height, width//2+1], equal at equal cycles per pixel."""
        if (height, width) == self.size:
            return self.spectrum
        rows = torch.fft.fftshift(self.spectrum, dim=1)
        # the negative Nyquist row again at the far end, so that ±½ cycle a pixel are both inside
        rows = torch.cat([rows, rows[:, :1]], 1) if self.size[0] % 2 == 0 else rows
        highest = ((self.size[0] // 2) / self.size[0], (self.size[1] // 2) / self.size[1])
        fy = (torch.fft.fftfreq(height) / highest[0]).clamp(-1, 1)
        fx = (2 * torch.fft.rfftfreq(width) / highest[1] - 1).clamp(-1, 1)
        grid = torch.stack(torch.meshgrid(fy, fx, indexing="ij")[::-1], -1)
        # interpolated as logarithms: amplitudes span four decades
        found = functional.grid_sample(
            rows.clamp_min(1e-8).log()[None], grid[None].to(rows), align_corners=True, padding_mode="border"
        )[0].exp()
        # the mean of a canvas (its zero frequency) varies as the mean of an image does, whatever the canvas measures:
        # in "ortho" units it grows with the canvas' side
        found[:, 0, 0] = self.spectrum[:, 0, 0] * ((height * width) / (self.size[0] * self.size[1])) ** 0.5
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {
            "spectrum": self.spectrum.numpy(),
            "size": np.array(self.size, np.int64),
            "colors": self.colors.numpy(),
            "mean": self.mean.numpy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Prior:
        height, width = (int(side) for side in arrays["size"])
        tensors = {name: torch.from_numpy(np.array(arrays[name])) for name in ("spectrum", "colors", "mean")}
        return cls(size=(height, width), **tensors)


def prior_of(images: Tensor) -> Prior:
    """The prior of real images, [N ≥ 16, C, H, W] in [0, 1]. Raises StrataError where there are too few."""
    if len(images) < FEWEST:
        raise StrataError(
            f"{len(images)} images are too few to learn what pictures look like. "
            f"Give at least {FEWEST}, or none at all."
        )
    channels = images.shape[1]
    mean = images.mean((0, 2, 3))
    centred = images - mean.view(1, -1, 1, 1)
    flat = centred.transpose(0, 1).reshape(channels, -1).double()
    values, vectors = torch.linalg.eigh(flat @ flat.T / flat.shape[1])
    # a colour axis that never varies (grey images in three channels) keeps a sliver, so that it can be inverted
    deviations = values.flip(0).clamp_min(1e-8).sqrt()
    vectors = vectors.flip(1)
    # eigenvectors are known up to sign; the sign is fixed so that the same images give the same prior everywhere
    vectors = vectors * torch.where(vectors.sum(0) < 0, -1.0, 1.0)
    whitened = torch.einsum("dc,ndhw->nchw", vectors / deviations, centred.double()).float()
    spectrum = sum(_smooth_free(part).abs().sum(0) for part in whitened.split(64)) / len(images)
    assert isinstance(spectrum, Tensor)
    height, width = images.shape[2:]
    return Prior(spectrum, (height, width), (vectors * deviations).float(), mean)


def prior_without_images(channels: int, height: int, width: int) -> Prior:
    """1/f amplitudes; Lucid's ImageNet colours for RGB, else channels that know nothing of each other."""
    fy, fx = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
    lowest = 1 / max(height, width)
    amplitude = (fy**2 + fx**2).sqrt().clamp_min(lowest) ** -FALLOFF
    # unit variance of the whitened image: Σ|F|² over all frequencies (ortho) is the number of pixels
    full = torch.fft.irfft2(amplitude.to(torch.complex64), s=(height, width), norm="ortho").pow(2).mean().sqrt()
    spectrum = (amplitude / full).expand(channels, -1, -1).clone()
    colors = torch.tensor(LUCID_COLORS) if channels == 3 else torch.eye(channels) * 0.25
    return Prior(spectrum, (height, width), colors, torch.full((channels,), 0.5))


def _smooth_free(images: Tensor) -> Tensor:
    """rFFT2 ("ortho") of the periodic part of each image, [N, C, H, W] → [N, C, H, W//2+1].

    A photo's left and right edges do not meet, and the jump shows in its spectrum as a cross of strong horizontal
    and vertical frequencies; a canvas with that spectrum looks woven. The periodic-plus-smooth decomposition takes
    the jump out (Moisan 2011, Journal of Mathematical Imaging and Vision 39:161).
    """
    height, width = images.shape[-2:]
    border = torch.zeros_like(images)
    across = images[..., -1, :] - images[..., 0, :]
    border[..., 0, :] += across
    border[..., -1, :] -= across
    along = images[..., :, -1] - images[..., :, 0]
    border[..., :, 0] += along
    border[..., :, -1] -= along
    fy = torch.fft.fftfreq(height).mul(2 * torch.pi).cos()[:, None]
    fx = torch.fft.rfftfreq(width).mul(2 * torch.pi).cos()[None, :]
    laplacian = 2 * fy + 2 * fx - 4
    laplacian[0, 0] = 1
    smooth = torch.fft.rfft2(border, norm="ortho") / laplacian
    smooth[..., 0, 0] = 0
    return torch.fft.rfft2(images, norm="ortho") - smooth
