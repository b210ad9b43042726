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

    def update(self, values: np.ndarray, images: np.ndarray, places: np.ndarray) -> None:
        """values [n, C], −inf or NaN to be passed over; images [n]; places [n, C]."""
        numbers = np.broadcast_to(np.asarray(images, np.int64)[:, None], values.shape)
        insert_ranked(values, numbers, places, self.values, self.images, self.places)

    def merge(self, other: Ranking) -> None:
        insert_ranked(
            np.ascontiguousarray(other.values.T),
            np.ascontiguousarray(other.images.T),
            np.ascontiguousarray(other.places.T),
            self.values,
            self.images,
            self.places,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        return {"values": self.values, "images": self.images, "places": self.places}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Ranking:
        made = cls(*arrays["values"].shape)
        made.values, made.images, made.places = (arrays[name].copy() for name in ("values", "images", "places"))
        return made
