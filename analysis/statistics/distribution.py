"""Moments, and the sketch that quantiles and histograms are read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from analysis.statistics import sketch
from analysis.statistics.kernel import count_values, filled_bins
from analysis.statistics.moments import Moments

ENOUGH = 1024
"""Values a channel that are kept as they came; more take less room when they are counted."""


class Distribution(Moments):
    """Moments with bins [C, sketch.BINS]: how many values fell into each."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self._bins: np.ndarray | None = None
        self._waiting: list[np.ndarray] = []

    def update(self, values: np.ndarray) -> None:
        super().update(values)
        self._waiting.append(values.astype(np.float32))
        if sum(each.shape[1] for each in self._waiting) >= ENOUGH:
            self._bins, self._waiting = self._counted(), []

    @property
    def bins(self) -> np.ndarray:
        """To be read or added to; int32, merged ones int64."""
        if self._waiting or self._bins is None:
            self._bins, self._waiting = self._counted(), []
        return self._bins

    def _counted(self) -> np.ndarray:
        bins = np.zeros((len(self.count), sketch.BINS), np.int32) if self._bins is None else self._bins
        for values in self._waiting:
            count_values(values, bins)
        return bins

    def merge(self, other: Self) -> None:
        super().merge(other)
        self._bins = self.bins.astype(np.int64) + other.bins

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """[C, len(shares)]; see analysis.statistics.sketch for how exact."""
        return sketch.quantiles(self.bins, shares, self.low, self.high)

    def histogram(self, channel: int, edges: np.ndarray) -> np.ndarray:
        """[len(edges) − 1]: how many of all the channel's values lie between each two edges."""
        counted = self.bins[channel].sum()
        scale = self.count[channel] / counted if counted else 0.0
        return sketch.histogram(self.bins[channel], edges) * scale

    def arrays(self) -> dict[str, np.ndarray]:
        bins = self._counted() if self._bins is None else self.bins
        return super().arrays() | {f"bins.{name}": array for name, array in _packed(bins).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        made = super().from_arrays(arrays)
        made._bins = _unpacked(arrays["bins.starts"], arrays["bins.place"], arrays["bins.count"])
        return made


def _packed(bins: np.ndarray) -> dict[str, np.ndarray]:
    """[C, BINS] → its filled bins alone: where each channel's begin, which they are, how many each holds."""
    starts, place, count = filled_bins(bins)
    return {"starts": starts, "place": place, "count": count.astype(np.min_scalar_type(count.max(initial=0)))}


def _unpacked(starts: np.ndarray, place: np.ndarray, count: np.ndarray) -> np.ndarray:
    """What `_packed` made → [C, BINS] int64."""
    bins = np.zeros((len(starts) - 1, sketch.BINS), np.int64)
    bins[np.repeat(np.arange(len(bins)), np.diff(starts)), place] = count
    return bins
