"""Mean response of each channel to each class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class ClassSums:
    """Per label that came: how many images, and the sum of their values, [C] float64."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.counts: dict[int, float] = {}
        self.sums: dict[int, np.ndarray] = {}

    def update(self, values: np.ndarray, labels: np.ndarray) -> None:
        """values [n, C], labels [n]."""
        order = np.argsort(labels, kind="stable")
        known, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        totals = np.add.reduceat(values[order], starts, axis=0, dtype=np.float64)
        for label, count, total in zip(known.tolist(), counts.tolist(), totals, strict=True):
            self._add(label, float(count), total)

    def merge(self, other: ClassSums) -> None:
        for label, count in other.counts.items():
            self._add(label, count, other.sums[label])

    def _add(self, label: int, count: float, total: np.ndarray) -> None:
        self.counts[label] = self.counts.get(label, 0.0) + count
        self.sums[label] = self.sums[label] + total if label in self.sums else total

    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels that came, rising [K], and their mean values [K, C]."""
        labels = sorted(self.counts)
        if not labels:
            return np.zeros(0, np.int64), np.zeros((0, self.channels))
        return np.array(labels, np.int64), np.stack([self.sums[label] / self.counts[label] for label in labels])

    def arrays(self) -> dict[str, np.ndarray]:
        labels = sorted(self.counts)
        sums = [self.sums[label] for label in labels]
        return {
            "labels": np.array(labels, np.int64),
            "counts": np.array([self.counts[label] for label in labels]),
            "sums": np.stack(sums) if sums else np.zeros((0, self.channels)),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ClassSums:
        made = cls(arrays["sums"].shape[1])
        for label, count, total in zip(arrays["labels"], arrays["counts"], arrays["sums"], strict=True):
            made._add(int(label), float(count), total)
        return made
