"""What a picture can be made for, as functions of one layer's map: [K, h, w] → a number, higher is better.

They are plain functions, so their weighted sums are too, and the negative of one is its opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

Objective = Callable[[Tensor], Tensor]


def channel(index: int) -> Objective:
    """The mean of a channel's map over space. Of a head's output (h = w = 1), this is a class logit."""
    return lambda maps: maps[index].mean()


def neuron(index: int, position: tuple[int, int] | None = None) -> Objective:
    """One position (y, x) of a channel's map; by default the middle."""

    def score(maps: Tensor) -> Tensor:
        y, x = position or (maps.shape[1] // 2, maps.shape[2] // 2)
        return maps[index, y, x]

    return score


def direction(vector: Tensor, position: tuple[int, int] | None = None) -> Objective:
    """The mean over space (or one position) of the map's projection on `vector`, [K], of any length."""

    def score(maps: Tensor) -> Tensor:
        along = (maps * (vector / vector.norm()).view(-1, 1, 1)).sum(0)
        return along.mean() if position is None else along[position]

    return score


def energy() -> Objective:
    """The mean square of what is active (DeepDream)."""
    return lambda maps: maps.relu().square().mean()


def weighted(parts: Sequence[tuple[float, Objective]]) -> Objective:
    """Σ weight · objective; a negative weight turns one away."""
    return lambda maps: sum((weight * part(maps) for weight, part in parts), maps.new_zeros(()))
