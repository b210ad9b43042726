"""How the channels of a layer vary together: over all positions of a fixed grid in every map."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

GRID = 4
"""Positions a side: up to GRID × GRID of each map are used, evenly spaced. Every one of maps no larger."""


@cache
def grid_places(height: int, width: int) -> np.ndarray:
    """Flat positions in a map of `height` × `width`, at most GRID a side, the middles of as many equal parts."""
    rows = ((np.arange(min(GRID, height)) + 0.5) * height / min(GRID, height)).astype(np.int64)
    columns = ((np.arange(min(GRID, width)) + 0.5) * width / min(GRID, width)).astype(np.int64)
    return (rows[:, None] * width + columns).ravel()


@cache
def buckets(channels: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each channel goes in a sketch of `width` columns [channels] int64, and with which sign [channels] float32.

    Each channel to a column of its own where there are enough, else to one at random (CountSketch: Charikar, Chen and
    Farach-Colton 2002), the same for all layers of as many channels. Sums go through it, so covariances of what comes
    out merge as exactly as others. Of no columns nothing is asked.
    """
    if channels <= width or not width:
        return np.arange(channels), np.ones(channels, np.float32)
    random = np.random.default_rng(channels)
    return random.integers(0, width, channels), random.choice(np.array([-1, 1], np.float32), channels)


ENOUGH = 1024
"""Rows that are taken in at once."""


class Covariance:
    """count; mean [C]; m2 [C, C] float64, the sum of outer products of the distances from the mean.

    Merged by Chan, Golub and LeVeque (1979) as well. Rows with a value that is not finite are left out.
    """

    def __init__(self, channels: int) -> None:
        self.count = 0.0
        self.mean = np.zeros(channels)
        self.m2 = np.zeros((channels, channels))
        self._waiting: list[np.ndarray] = []

    def update(self, rows: np.ndarray) -> None:
        """rows [C, n]: one position of one image each. Taken in when ENOUGH have come: one large product is cheaper."""
        self._waiting.append(rows)
        if sum(each.shape[1] for each in self._waiting) >= ENOUGH:
            self._take_in()

    def merge(self, other: Covariance) -> None:
        self._take_in()
        other._take_in()
        if other.count:
            self._join(other.count, other.mean, other.m2)

    def _take_in(self) -> None:
        if not self._waiting:
            return
        rows = np.concatenate(self._waiting, axis=1).astype(np.float64)
        finite = np.isfinite(rows.sum(axis=0))
        rows = rows if finite.all() else rows[:, finite]
        self._waiting = []
        if rows.shape[1]:
            mean = rows.mean(axis=1)
            rows -= mean[:, None]
            self._join(float(rows.shape[1]), mean, rows @ rows.T)

    def _join(self, count: float, mean: np.ndarray, m2: np.ndarray) -> None:
        total = self.count + count
        distance = mean - self.mean
        self.m2 += m2 + np.outer(distance, distance) * (self.count * count / total)
        self.mean = self.mean + distance * (count / total)
        self.count = total

    @property
    def rows(self) -> int:
        """How many rows have come that are finite."""
        self._take_in()
        return int(self.count)

    def matrix(self) -> np.ndarray:
        """[C, C], divided by n; NaN where nothing came."""
        self._take_in()
        return self.m2 / self.count if self.count else np.full_like(self.m2, np.nan)

    def arrays(self) -> dict[str, np.ndarray]:
        self._take_in()
        return {"count": np.array(self.count), "mean": self.mean, "m2": self.m2}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Covariance:
        made = cls(len(arrays["mean"]))
        made.count, made.mean, made.m2 = float(arrays["count"]), arrays["mean"], arrays["m2"].copy()
        return made
