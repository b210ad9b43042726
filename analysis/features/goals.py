"""What each row of a batch of canvases is after, as one score a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from analysis.features.baseline import Baseline
from analysis.features.objectives import Objective
from analysis.features.pooling import pooled

MARGIN = 0.3
"""A picture is a channel's own when the channel leads all others by this many deviations."""


class Goal(Protocol):
    """of_means: whether scores depend on nothing but each map's mean; then maps may be given as [N, K, 1, 1]."""

    @property
    def of_means(self) -> bool: ...

    def scores(self, maps: Tensor, units: Sequence[int]) -> Tensor:
        """[N, K, h, w] maps, the unit that each row belongs to → [N], higher is better; rows must not mix."""
        ...


@dataclass(frozen=True)
class ChannelGoal:
    """Row i after channel `channels[units[i]]`: the mean of its map over space (`pooled`).

    With a baseline, in deviations from what real images give, less `distinct` times what the strongest other channel
    of the layer is short of staying MARGIN behind: what excites twenty channels alike is not the picture of one. A
    channel that answers no image is after itself alone: where nothing moves it, others must not move its picture.
    """

    channels: Tensor
    sign: float = 1.0
    rectified: float = 0.0
    baseline: Baseline | None = None
    distinct: float = 0.0

    @property
    def of_means(self) -> bool:
        return not self.rectified

    def scores(self, maps: Tensor, units: Sequence[int]) -> Tensor:
        wanted = self.channels[list(units)].to(maps.device)
        rows = torch.arange(len(maps), device=maps.device)
        if self.baseline is None or self.distinct == 0 or maps.shape[1] == 1:
            return self.sign * pooled(maps[rows, wanted][:, None], self.rectified)[:, 0]
        values = self.sign * self.baseline.to(maps.device).standard(pooled(maps, self.rectified))
        own = values[rows, wanted]
        others = values.scatter(1, wanted[:, None], -torch.inf).amax(1)
        answers = self.baseline.answers().to(maps.device)[wanted]
        return own - (self.distinct * answers) * (others - own + MARGIN).relu()


@dataclass(frozen=True)
class DiverseGoal:
    """Rows after one and the same goal, and away from each other: less `weight` times the mean cosine between the
    Gram matrices of their maps (Olah, Mordvintsev, Schubert 2017, Feature Visualization, "Diversity"), in units of
    the score so that the weight means the same for every layer."""

    goal: Goal
    weight: float
    of_means = False

    def scores(self, maps: Tensor, units: Sequence[int]) -> Tensor:
        own = self.goal.scores(maps, units)
        flat = maps.flatten(2)
        gram = functional.normalize((flat @ flat.transpose(1, 2)).flatten(1), dim=1)
        alike = gram @ gram.T
        others = (alike.sum(1) - alike.diagonal()) / max(1, len(maps) - 1)
        return own - self.weight * own.detach().abs() * others


@dataclass(frozen=True)
class ObjectiveGoal:
    """Row i after objective `objectives[units[i]]`."""

    objectives: Sequence[Objective]
    of_means = False

    def scores(self, maps: Tensor, units: Sequence[int]) -> Tensor:
        return torch.stack([self.objectives[unit](row) for unit, row in zip(units, maps, strict=True)])
