"""How far two computations of the same numbers are apart."""

from __future__ import annotations

from collections.abc import Callable

import torch


def difference(mine: torch.Tensor, theirs: torch.Tensor) -> float:
    """Largest difference, in standard deviations of `theirs`; infinite where the shapes differ.

    Numbers that hardly vary, or are all but zero, differ by rounding: those are measured against their size instead.
    """
    return _apart(mine, theirs, lambda gap: float(gap.abs().max()))


def typical_difference(mine: torch.Tensor, theirs: torch.Tensor) -> float:
    """Root mean square difference, in the same unit: for numbers on a grid, of which some round to the other side."""
    return _apart(mine, theirs, lambda gap: float(gap.square().mean().sqrt()))


def _apart(mine: torch.Tensor, theirs: torch.Tensor, size: Callable[[torch.Tensor], float]) -> float:
    if mine.shape != theirs.shape:
        return float("inf")
    if not theirs.numel():
        return 0.0
    mine, theirs = mine.double(), theirs.double()
    spread = float(theirs.std()) if theirs.numel() > 1 else 0.0
    return size(mine - theirs) / max(spread, 1e-3 * float(theirs.abs().max()), 1e-4)
