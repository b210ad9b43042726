"""How every channel answers real images: the scale on which its picture is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analysis.features.pooling import pooled, rectifies
from analysis.features.target import Target
from analysis.models.heads import run_with_heads
from analysis.models.model import Model
from analysis.models.tap import ConvCall

_Answers = tuple[Tensor, Tensor, Tensor]
"""Of some images: a channel's number for each, and its map's highest and lowest value, [N, K] each."""

FLAT = 1e-6
"""A deviation below this share of the layer's largest is that of a channel that does not answer images at all."""


@dataclass(frozen=True)
class Baseline:
    """Of one layer, over real images: a channel's map, `pooled` to one number an image, [K] each. Maps that hold NaN or
    infinity are left out; NaN for a channel that has no others.

    mean, deviation : of it, over images
    best            : its highest, the natural picture that a synthetic one has to beat
    least           : its lowest
    highest, lowest : of single positions of the map, over all images
    """

    mean: Tensor
    deviation: Tensor
    best: Tensor
    least: Tensor
    highest: Tensor
    lowest: Tensor

    def standard(self, values: Tensor) -> Tensor:
        """[N, K] means of maps → in deviations from the mean over real images."""
        return (values - self.mean) / self.scale()

    def scale(self) -> Tensor:
        """[K] the deviations, none of them zero."""
        return self.deviation.clamp_min(self._flat())

    def answers(self) -> Tensor:
        """[K] bool: whether a channel answers images at all."""
        return self.deviation > self._flat()

    def _flat(self) -> Tensor:
        return FLAT * self.deviation.max().clamp_min(torch.finfo(torch.float32).tiny)

    def to(self, device: torch.device) -> Baseline:
        return Baseline(*(part.to(device) for part in vars(self).values()))

    def to_array(self) -> np.ndarray:
        return torch.stack(list(vars(self).values())).numpy()

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
    seen: dict[str, list[_Answers]] = {}
    parts = images.split(1 if model.card.one_by_one else batch)
    for index, part in enumerate(parts):
        numbers: dict[str, _Answers] = {}

        def keep(call: ConvCall, numbers: dict[str, _Answers] = numbers) -> bool:
            layer = model.calls[call.number]
            if layer in rectified and layer not in numbers:
                numbers[layer] = _answers(call.output, rectified[layer])
            return True

        with torch.no_grad():
            _, heads = run_with_heads(model, part, keep)
        for name, answers in {**{name: _answers(maps) for name, maps in heads.items()}, **numbers}.items():
            seen.setdefault(name, []).append(answers)
        report((index + 1) / len(parts))
    return {name: _of(answers) for name, answers in seen.items()}


def baseline_at(target: Target, images: Tensor, batch: int = 16) -> Baseline:
    """Of one target, at whichever site and to whichever side of zero it is read, over [N, C, H, W] images in [0, 1]."""
    with torch.no_grad():
        maps = (target.read(part) for part in images.split(batch))
        return _of([_answers(each, target.rectified) for each in maps])


def _answers(maps: Tensor, rectified: float = 0.0) -> _Answers:
    return pooled(maps, rectified).double().cpu(), maps.amax((2, 3)).cpu(), maps.amin((2, 3)).cpu()


def _of(answers: list[_Answers]) -> Baseline:
    values, highest, lowest = (torch.cat(parts) for parts in zip(*answers, strict=True))
    sound = values.isfinite() & highest.isfinite() & lowest.isfinite()
    count = sound.sum(0)
    mean = values.where(sound, 0).sum(0) / count
    deviation = values.where(sound, mean).std(0, correction=0) * (len(values) / count).sqrt()
    best, least = values.where(sound, mean).amax(0), values.where(sound, mean).amin(0)
    extremes = highest.where(sound, -torch.inf).amax(0), lowest.where(sound, torch.inf).amin(0)
    over_images = (part.where(count > 0, torch.nan) for part in (best, least, *extremes))
    return Baseline(*(part.float() for part in (mean, deviation, *over_images)))
