"""How every channel answers real images: the scale on which its picture is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analysis.features.pooling import pooled, rectifies
from analysis.features.size import device_of
from analysis.models.capture import visit
from analysis.models.model import Model

FLAT = 1e-6
"""A deviation below this share of the layer's largest is that of a channel that does not answer images at all."""


@dataclass(frozen=True)
class Baseline:
    """Of one layer, over real images: a channel's map, `pooled` to one number an image, [K] each.

    mean, deviation : of it, over images
    best            : its highest, the natural picture that a synthetic one has to beat
    least           : its lowest
    """

    mean: Tensor
    deviation: Tensor
    best: Tensor
    least: Tensor

    def standard(self, values: Tensor) -> Tensor:
        """[N, K] means of maps → in deviations from the mean over real images."""
        floor = FLAT * self.deviation.max().clamp_min(torch.finfo(torch.float32).tiny)
        return (values - self.mean) / self.deviation.clamp_min(floor)

    def to(self, device: torch.device) -> Baseline:
        return Baseline(*(part.to(device) for part in (self.mean, self.deviation, self.best, self.least)))

    def to_array(self) -> np.ndarray:
        return torch.stack([self.mean, self.deviation, self.best, self.least]).numpy()

    @classmethod
    def from_array(cls, array: np.ndarray) -> Baseline:
        return cls(*torch.from_numpy(np.array(array)))


def baselines(
    model: Model, images: Tensor, report: Callable[[float], None] = lambda fraction: None, batch: int = 16
) -> dict[str, Baseline]:
    """Of every 2-d conv layer, in one pass over [N, C, H, W] images in [0, 1]. Sites of a shared layer: the first."""
    rectified = {layer.name: rectifies(layer) for layer in model.card.layers if layer.kind.endswith("2d")}
    layers = list(rectified)
    seen: dict[str, list[Tensor]] = {layer: [] for layer in layers}

    def keep(layer: str, site: int, output: Tensor) -> None:
        if site == 0:
            seen[layer].append(pooled(output, rectified[layer]).double().cpu())

    parts = images.split(batch)
    for index, part in enumerate(parts):
        visit(model, part.to(device_of(model)), layers, keep)
        report((index + 1) / len(parts))
    return {layer: _of(torch.cat(means)) for layer, means in seen.items()}


def _of(means: Tensor) -> Baseline:
    deviation = means.std(0, correction=0)
    return Baseline(*(part.float() for part in (means.mean(0), deviation, means.amax(0), means.amin(0))))
