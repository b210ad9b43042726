"""Mean response of each channel to each class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class ClassSums:
    """Per label that came: of how many images a channel has a finite value, and the sum of these, [C] float64 each."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.counts: dict[int, np.ndarray] = {}
        self.sums: dict[int, np.ndarray] = {}

    def update(self, values: np.ndarray, labels: np.ndarray) -> None:
        """values [n, C], what is not finite to be passed over; labels [n]."""
        order = np.argsort(labels, kind="stable")
        known, starts = np.unique(labels[order], return_index=True)
        values = values[order]
        finite = np.isfinite(values)
        counts = np.add.reduceat(finite, starts, axis=0, dtype=np.float64)
        totals = np.add.reduceat(np.where(finite, values, 0), starts, axis=0, dtype=np.float64)
        for label, count, total in zip(known.tolist(), counts, totals, strict=True):
            self._add(label, count, total)

    def merge(self, other: ClassSums) -> None:
        for label, count in other.counts.items():
            self._add(label, count, other.sums[label])

    def _add(self, label: int, count: np.ndarray, total: np.ndarray) -> None:
        self.counts[label] = self.counts.get(label, 0.0) + count
        self.sums[label] = self.sums.get(label, 0.0) + total

    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels that came, rising [K], and their mean values [K, C], NaN where a channel has none of a label."""
        known = self.arrays()
        counts = known["counts"]
        return known["labels"], np.divide(known["sums"], counts, out=np.full_like(counts, np.nan), where=counts > 0)

    def arrays(self) -> dict[str, np.ndarray]:
        """labels [K], rising; counts, sums [K, C]."""
        labels = sorted(self.counts)
        nothing = np.zeros((0, self.channels))
        return {
            "labels": np.array(labels, np.int64),
            "counts": np.stack([self.counts[label] for label in labels]) if labels else nothing,
            "sums": np.stack([self.sums[label] for label in labels]) if labels else nothing,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ClassSums:
        made = cls(arrays["sums"].shape[1])
        for label, count, total in zip(arrays["labels"], arrays["counts"], arrays["sums"], strict=True):
            made._add(int(label), count, total)
        return made
