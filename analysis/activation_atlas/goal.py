"""What the picture of a cell is after: a direction, and little else beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

POWER = 2
LEAST = 0.1
"""The cosine counts as no less: what points elsewhere still has a gradient to follow."""


@dataclass(frozen=True)
class DirectionGoal:
    """Row i after `ways[units[i]]`: the mean over space of m·w × max(LEAST, cos(m, w))^POWER, m the map less `mean`.

    The cosine keeps a picture from being long in the direction and longer in others (the objective of Carter et al.
    2019; Lucid's `direction_cossim`).

    ways        : [cells, K] of length 1
    mean        : [K]
    scale, shift: [K] from the conv's own output to what `mean` and `ways` are told in
    """

    ways: Tensor
    mean: Tensor
    scale: Tensor
    shift: Tensor
    of_means = False

    def scores(self, maps: Tensor, units: Sequence[int]) -> Tensor:
        return self.each(maps, units).mean((1, 2))

    def each(self, maps: Tensor, units: Sequence[int]) -> Tensor:
        """[N, K, h, w] → [N, h, w]."""
        own = maps * self.scale.view(1, -1, 1, 1) + (self.shift - self.mean).view(1, -1, 1, 1)
        along = torch.einsum("nkhw,nk->nhw", own, self.ways[list(units)])
        cosine = along / own.norm(dim=1).clamp_min(1e-6)
        return along * cosine.clamp_min(LEAST) ** POWER
