"""The k images with the greatest value of each channel; mergeable, ties broken by the lower image number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.statistics.kernel import insert_ranked


class Ranking:
    """values [C, k] float64, greatest first, −inf where there were fewer images; images, places [C, k] int64, −1 there.

    A place is the flat position of the value in its map. Each image is offered once a channel, so none appears twice.
    """

    def __init__(self, channels: int, keep: int) -> None:
        self.values = np.full((channels, keep), -np.inf)
        self.images = np.full((channels, keep), -1, np.int64)
        self.places = np.full((channels, keep), -1, np.int64)

    def update(self, values: np.ndarray, images: np.ndarray, places: np.ndarray, sign: float = 1) -> None:
        """values [C, n], what is not finite to be passed over; images [n]; places [C, n]; sign: −1 to keep the least,
        negated."""
        self._insert(values, sign, images[None], places)

    def merge(self, other: Ranking) -> None:
        self._insert(other.values, 1, other.images, other.places)

    def _insert(self, values: np.ndarray, sign: float, images: np.ndarray, places: np.ndarray) -> None:
        insert_ranked(values, float(sign), images, places, self.values, self.images, self.places)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"values": self.values, "images": self.images, "places": self.places}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Ranking:
        made = cls(*arrays["values"].shape)
        made.values, made.images, made.places = (arrays[name].copy() for name in ("values", "images", "places"))
        return made
