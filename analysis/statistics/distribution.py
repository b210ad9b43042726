"""Count, mean, variance, extremes and quantiles of each channel's values; mergeable, exact under any split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.statistics import sketch
from analysis.statistics.kernel import join_values, join_walked


class Distribution:
    """What values each of C channels took.

    count, mean, m2 : [C] float64; m2 is the sum of squared distances from the mean
    low, high       : [C] float64, ±inf where nothing came
    bins            : [C, sketch.BINS]

    Means and squares merge by Chan, Golub and LeVeque (1979), in float64: adding up squares alone would cancel.
    """

    def __init__(self, channels: int) -> None:
        self.count = np.zeros(channels)
        self.mean = np.zeros(channels)
        self.m2 = np.zeros(channels)
        self.low = np.full(channels, np.inf)
        self.high = np.full(channels, -np.inf)
        self.bins = np.zeros((channels, sketch.BINS), np.int32)

    def update(self, values: np.ndarray) -> None:
        """values [n, C] float32, one of each channel a row; what is not finite is left out."""
        values = np.ascontiguousarray(values, np.float32)
        join_values(values, self.count, self.mean, self.m2, self.low, self.high, self.countable())

    def update_walked(self, found: np.ndarray) -> None:
        """found [n, C, fields]: maps that `kernel.walk` has summed, and whose bins it has counted already."""
        join_walked(found, self.count, self.mean, self.m2, self.low, self.high)

    def countable(self) -> np.ndarray:
        """The bins in the type that the kernel counts in; merged ones are wider."""
        self.bins = self.bins.astype(np.int32, copy=False)
        return self.bins

    def merge(self, other: Distribution) -> None:
        self._join(other.count, other.mean, other.m2)
        self.low = np.minimum(self.low, other.low)
        self.high = np.maximum(self.high, other.high)
        self.bins = self.bins.astype(np.int64) + other.bins

    def _join(self, count: np.ndarray, mean: np.ndarray, m2: np.ndarray) -> None:
        total = self.count + count
        share = np.divide(count, total, out=np.zeros_like(total), where=total > 0)
        distance = mean - self.mean
        self.m2 = self.m2 + m2 + distance**2 * self.count * share
        self.mean = self.mean + distance * share
        self.count = total

    @property
    def variance(self) -> np.ndarray:
        """[C], of the values as they are (divided by n); NaN where nothing came."""
        return np.divide(self.m2, self.count, out=np.full_like(self.m2, np.nan), where=self.count > 0)

    @property
    def known_mean(self) -> np.ndarray:
        """[C]; NaN where nothing came."""
        return np.where(self.count > 0, self.mean, np.nan)

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """[C, len(shares)]; see analysis.statistics.sketch for how exact."""
        return sketch.quantiles(self.bins, shares, self.low, self.high)

    def arrays(self) -> dict[str, np.ndarray]:
        plain = {name: getattr(self, name) for name in ("count", "mean", "m2", "low", "high")}
        return plain | {f"bins.{name}": array for name, array in sketch.pack(self.bins).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Distribution:
        made = cls(len(arrays["count"]))
        for name in ("count", "mean", "m2", "low", "high"):
            setattr(made, name, arrays[name])
        made.bins = np.zeros(made.bins.shape, np.int64)
        sketch.unpack_into(made.bins, {name: arrays[f"bins.{name}"] for name in ("channel", "bin", "count")})
        return made
