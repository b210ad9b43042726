"""Some images kept with each channel's value: what needs all images at once is worked out on these.

The median exemplars and the nearest-centroid accuracy need every image's values; keeping them for all would grow
with the probe. So they are kept for up to `LIMIT` images, evenly drawn over the probe: for all of a small one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

LIMIT = 512


def drawn_images(count: int) -> np.ndarray:
    """The numbers of the images that are kept, of `count`: all, or LIMIT evenly spaced ones."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, LIMIT)).round().astype(np.int64))


class Drawn:
    """Rows, by image number: the image's label, and each channel's peak, its place, its mean after the activation."""

    FIELDS = ("images", "labels", "peaks", "places", "means")

    def __init__(self, channels: int) -> None:
        self.images = np.zeros(0, np.int64)
        self.labels = np.zeros(0, np.int64)
        self.peaks = np.zeros((0, channels), np.float32)
        self.places = np.zeros((0, channels), np.int32)
        self.means = np.zeros((0, channels), np.float32)

    def update(
        self, images: np.ndarray, labels: np.ndarray, peaks: np.ndarray, places: np.ndarray, means: np.ndarray
    ) -> None:
        """[n], [n] (−1: none), [n, C] three times. The rows of images that were drawn, picked by the caller."""
        self._join({"images": images, "labels": labels, "peaks": peaks, "places": places, "means": means})

    def merge(self, other: Drawn) -> None:
        self._join(other.arrays())

    def _join(self, rows: Mapping[str, np.ndarray]) -> None:
        joined = {name: np.concatenate([getattr(self, name), rows[name]]) for name in self.FIELDS}
        order = np.argsort(joined["images"], kind="stable")
        for name in self.FIELDS:
            setattr(self, name, joined[name][order].astype(getattr(self, name).dtype))

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in self.FIELDS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Drawn:
        made = cls(arrays["peaks"].shape[1])
        made._join(arrays)
        return made
