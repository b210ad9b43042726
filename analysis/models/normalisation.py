"""Does the assumed normalisation fit? The first batch norm remembers what it was fed in training.

Its running mean and variance are compared with what it sees when images of natural statistics are prepared in each of
the usual ways. Measured on public nets this names the right one about five times in six: a suggestion, never a choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from analysis.models.input_spec import IMAGENET_MEAN, IMAGENET_STD, InputSpec
from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, Stop, run_tapped

NATURAL_MEAN, NATURAL_STD = 0.45, 0.27
CLEARLY = 0.1
"""Nats a channel by which another preparation must fit better, at less than half the distance, to be mentioned."""


def candidates(channels: int) -> dict[str, InputSpec]:
    """The usual preparations of an image, by how a person would call them."""
    whole = InputSpec(channels=channels, mean=(0.0,) * channels, std=(1.0,) * channels)
    usual = {
        "numbers from 0 to 1": whole,
        "numbers from −1 to 1": replace(whole, mean=(0.5,) * channels, std=(0.5,) * channels),
        "numbers from 0 to 255": replace(whole, range=(0.0, 255.0)),
    }
    if channels == 3:
        usual["ImageNet's mean and standard deviation"] = replace(whole, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return usual


def doubt(model: Model) -> str | None:
    """A sentence where another preparation fits the first batch norm clearly better; None where none does, or no such
    norm stands behind the first convolution.
    """
    spec = model.card.input
    images = natural_images(spec.channels, min(spec.height, 96), min(spec.width, 96))
    distances = {
        name: distance
        for name, other in candidates(spec.channels).items()
        if (distance := _distance(model, other.prepare(images))) is not None
    }
    own = _distance(model, spec.prepare(images))
    if own is None or not distances:
        return None
    best = min(distances, key=lambda name: distances[name])
    if distances[best] > min(own - CLEARLY, own / 2):
        return None
    return (
        f"The first batch norm remembers other inputs than are assumed here: {best} fit better. "
        "Check how images were prepared in training, and correct mean, std or range (--input mean=[0.5,0.5,0.5])."
    )


def natural_images(channels: int, height: int, width: int, count: int = 16) -> torch.Tensor:
    """[count, channels, height, width] in [0, 1]: noise with the 1/f spectrum and common brightness of photographs.

    Field 1987, "Relations between the statistics of natural images": amplitudes fall with one over the frequency.
    """
    generator = torch.Generator().manual_seed(0)
    rows, columns = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    amplitude = 1 / (rows.square() + columns.square()).sqrt().clamp(min=1 / max(height, width))

    def noise(planes: int) -> torch.Tensor:
        white = torch.randn(count, planes, height, width, generator=generator)
        maps = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=(height, width))
        return maps / maps.std()

    mixed = 0.95 * noise(1) + math.sqrt(1 - 0.95**2) * noise(channels)
    return (NATURAL_MEAN + NATURAL_STD * mixed).clamp(0, 1)


class _FirstNorm(ConvTap):
    """Stops at the first batch norm, keeping what it is fed and what it remembers."""

    def __init__(self) -> None:
        super().__init__(self._seen)
        self.convolutions = 0
        self.found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def _seen(self, call: ConvCall) -> bool:
        self.convolutions += 1
        return self.convolutions < 2

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if "batch_norm" in func.overloadpacket.__name__ and self.convolutions:
            tensors = [value for value in args if isinstance(value, torch.Tensor)]
            if len(tensors) >= 3:
                self.found = tensors[0], tensors[-2], tensors[-1]
                self.stopped = True
                raise Stop
        return super().other(func, args, kwargs)


def _distance(model: Model, prepared: torch.Tensor) -> float | None:
    """Mean Kullback-Leibler divergence a channel, in nats, of what the first norm sees from what it remembers."""
    tap = _FirstNorm()
    try:
        with torch.no_grad():
            run_tapped(tap, lambda: model.module(prepared))
    except Exception:  # a net of one size does not take these images
        return None
    if tap.found is None:
        return None
    seen, mean, variance = tap.found
    dims = (0, *range(2, seen.dim()))
    found_mean, found_variance = seen.mean(dims), seen.var(dims).clamp(min=1e-12)
    variance = variance.clamp(min=1e-12)
    ratio = found_variance / variance
    nats = 0.5 * (ratio - 1 - ratio.log() + (found_mean - mean).square() / variance)
    return float(nats.clamp(max=50).mean())
