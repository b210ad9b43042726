"""How every channel answers real images: the scale on which its picture is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analysis.features.pooling import pooled, rectifies
from analysis.features.size import device_of
from analysis.features.target import Target
from analysis.models.heads import run_with_heads
from analysis.models.model import Model
from analysis.models.tap import ConvCall

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
        return (values - self.mean) / self.scale()

    def scale(self) -> Tensor:
        """[K] the deviations, none of them zero."""
        return self.deviation.clamp_min(FLAT * self.deviation.max().clamp_min(torch.finfo(torch.float32).tiny))

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
    """Of every 2-d conv layer and every head, in one pass over [N, C, H, W] images in [0, 1].

    Sites of a shared layer: the first.
    """
    rectified = {layer.name: rectifies(layer) for layer in model.card.layers if layer.kind.endswith("2d")}
    seen: dict[str, list[Tensor]] = {}
    parts = images.split(1 if model.card.one_by_one else batch)
    for index, part in enumerate(parts):
        numbers: dict[str, Tensor] = {}

        def keep(call: ConvCall, numbers: dict[str, Tensor] = numbers) -> bool:
            layer = model.calls[call.number]
            if layer in rectified and layer not in numbers:
                numbers[layer] = pooled(call.output, rectified[layer])
            return True

        with torch.no_grad():
            _, heads = run_with_heads(model, part.to(device_of(model)), keep)
        for name, values in {**{name: maps.flatten(1) for name, maps in heads.items()}, **numbers}.items():
            seen.setdefault(name, []).append(values.double().cpu())
        report((index + 1) / len(parts))
    return {name: _of(torch.cat(values)) for name, values in seen.items()}


def baseline_at(target: Target, images: Tensor, batch: int = 16) -> Baseline:
    """Of one target, at whichever site it is read, over [N, C, H, W] images in [0, 1]."""
    with torch.no_grad():
        found = [
            pooled(target.read(part.to(device_of(target.model))), target.rectified) for part in images.split(batch)
        ]
    return _of(torch.cat(found).double().cpu())


def _of(means: Tensor) -> Baseline:
    deviation = means.std(0, correction=0)
    return Baseline(*(part.float() for part in (means.mean(0), deviation, means.amax(0), means.amin(0))))
