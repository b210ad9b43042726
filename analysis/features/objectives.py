"""What a picture can be made for, as functions of one layer's map: [K, h, w] → a number, higher is better.

They are plain functions, so their weighted sums are too, and the negative of one is its opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

Objective = Callable[[Tensor], Tensor]


def neuron(index: int) -> Objective:
    """The middle of a channel's map."""
    return lambda maps: maps[index, maps.shape[1] // 2, maps.shape[2] // 2]


def direction(vector: Tensor, *, middle: bool = False) -> Objective:
    """The mean over space (or the middle) of the map's projection on `vector`, [K], of any length."""

    def score(maps: Tensor) -> Tensor:
        along = (maps * (vector / vector.norm()).view(-1, 1, 1)).sum(0)
        return along[along.shape[0] // 2, along.shape[1] // 2] if middle else along.mean()

    return score


def energy() -> Objective:
    """The mean square of what is active (DeepDream)."""
    return lambda maps: maps.relu().square().mean()


def weighted(parts: Sequence[tuple[float, Objective]]) -> Objective:
    """Σ weight · objective; a negative weight turns one away."""
    return lambda maps: sum((weight * part(maps) for weight, part in parts), maps.new_zeros(()))
