"""Count, mean, variance and extremes of each channel's values; mergeable, exact under any split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from analysis.statistics.kernel import join_values


class Moments:
    """What values each of C channels took.

    count, mean, m2 : [C] float64; m2 is the sum of squared distances from the mean
    low, high       : [C] float64, ±inf where nothing came
    table           : [5, C], the five as rows of one array

    Means and squares merge by Chan, Golub and LeVeque (1979), in float64: adding up squares alone would cancel.
    """

    FIELDS = ("count", "mean", "m2", "low", "high")

    def __init__(self, channels: int) -> None:
        self.table = np.repeat(np.array([[0.0], [0.0], [0.0], [np.inf], [-np.inf]]), channels, axis=1)
        self.count, self.mean, self.m2, self.low, self.high = self.table

    def update(self, values: np.ndarray) -> None:
        """values [C, n] float64; what is not finite is left out."""
        join_values(values, self.table)

    def merge(self, other: Self) -> None:
        total = self.count + other.count
        share = np.divide(other.count, total, out=np.zeros_like(total), where=total > 0)
        distance = other.mean - self.mean
        self.m2 += other.m2 + distance**2 * self.count * share
        self.mean += distance * share
        self.count[:] = total
        self.low[:] = np.minimum(self.low, other.low)
        self.high[:] = np.maximum(self.high, other.high)

    @property
    def variance(self) -> np.ndarray:
        """[C], of the values as they are (divided by n); NaN where nothing came."""
        return np.divide(self.m2, self.count, out=np.full_like(self.m2, np.nan), where=self.count > 0)

    @property
    def known_mean(self) -> np.ndarray:
        """[C]; NaN where nothing came."""
        return np.where(self.count > 0, self.mean, np.nan)

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in self.FIELDS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        made = cls(len(arrays["count"]))
        made.table[:] = [arrays[name] for name in cls.FIELDS]
        return made
