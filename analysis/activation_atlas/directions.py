"""The direction that each cell stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.activation_atlas.layout import Cell

REACH = 0.5
"""How far around a cell's centre vectors count, as a share of its side (deviation of a Gaussian): neighbours share
some, and the landscape is continuous."""
SHRINKAGE = 0.1
"""Share of the mean variance that is added to every channel's before the covariance is inverted."""


@dataclass(frozen=True)
class Directions:
    """means : [cells, K] the mean vector around each cell, less `mean`
    ways     : [cells, K] of length 1: what a picture is to point along
    mean     : [K] of all vectors
    """

    means: np.ndarray
    ways: np.ndarray
    mean: np.ndarray


def directions_of(vectors: np.ndarray, places: np.ndarray, cells: Sequence[Cell], grid: tuple[int, int]) -> Directions:
    """vectors [n, K], places [n, 2] in the unit square.

    A cell's way is Σ⁻¹(its mean − the mean of all), Σ the vectors' covariance: what tells the cell from all else,
    not what is loud everywhere (Carter et al. 2019 whiten by Σ⁻¹ too).
    """
    values = vectors.astype(np.float64)
    mean = values.mean(axis=0)
    centres = np.array([[cell.column + 0.5, cell.row + 0.5] for cell in cells])
    far = np.linalg.norm(centres[:, None] - (places * grid)[None], axis=2)
    weights = np.exp(-0.5 * (far / REACH) ** 2)
    means = weights @ values / weights.sum(axis=1, keepdims=True) - mean
    covariance = np.cov(values, rowvar=False).reshape(len(mean), len(mean))
    ridge = max(SHRINKAGE * float(np.trace(covariance)) / len(mean), 1e-12)
    ways = np.linalg.solve(covariance + ridge * np.eye(len(mean)), means.T).T
    ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-12)
    return Directions(means, ways, mean)
