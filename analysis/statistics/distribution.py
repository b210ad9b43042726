"""Moments, and the sketch that quantiles and histograms are read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from analysis.statistics import sketch
from analysis.statistics.kernel import count_values
from analysis.statistics.moments import Moments


class Distribution(Moments):
    """Moments with bins [C, sketch.BINS]: how many values fell into each."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.bins = np.zeros((channels, sketch.BINS), np.int32)

    def update(self, values: np.ndarray) -> None:
        super().update(values)
        count_values(np.ascontiguousarray(values, np.float32), self.countable())

    def countable(self) -> np.ndarray:
        """The bins, to be added to, in the type that the kernel counts in; merged ones are wider."""
        self.bins = self.bins.astype(np.int32, copy=False)
        return self.bins

    def merge(self, other: Self) -> None:
        super().merge(other)
        self.bins = self.bins.astype(np.int64) + other.bins

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """[C, len(shares)]; see analysis.statistics.sketch for how exact."""
        return sketch.quantiles(self.bins, shares, self.low, self.high)

    def histogram(self, channel: int, edges: np.ndarray) -> np.ndarray:
        """[len(edges) − 1]: how many of all the channel's values lie between each two edges."""
        counted = self.bins[channel].sum()
        scale = self.count[channel] / counted if counted else 0.0
        return sketch.histogram(self.bins[channel], edges) * scale

    def arrays(self) -> dict[str, np.ndarray]:
        return super().arrays() | {f"bins.{name}": array for name, array in sketch.pack(self.bins).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        made = super().from_arrays(arrays)
        made.bins = sketch.unpack({name.removeprefix("bins."): array for name, array in arrays.items()})
        return made
