"""Everything that is accumulated of one layer, in one object that updates, merges, and becomes arrays and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from analysis.exemplars.ranking import Ranking
from analysis.statistics.class_sums import ClassSums
from analysis.statistics.covariance import Covariance, buckets, grid_places
from analysis.statistics.distribution import Distribution
from analysis.statistics.drawn import Drawn
from analysis.statistics.follow import Follow
from analysis.statistics.kernel import SUMS, stride_of, walk
from analysis.statistics.moments import Moments

ROOM = 64
"""Images whose peaks and means are taken in at once."""


@dataclass(frozen=True)
class Settings:
    """keep: exemplars kept a channel; width: channels up to which all covariances are kept, columns of a sketch of them
    in wider layers; 0 for none."""

    keep: int = 16
    width: int = 256


@dataclass(frozen=True)
class Images:
    """Which images a batch is: numbers [n]; labels [n], −1 for none; drawn [n]: whether each is a drawn one."""

    FIELDS: ClassVar = ("numbers", "labels", "drawn")

    numbers: np.ndarray
    labels: np.ndarray
    drawn: np.ndarray


class LayerState:
    """One layer's accumulators. After the last `update`, `take_in` before reading them.

    follow        : what follows the conv in the model
    maps          : all values at the conv's own output
    peaks, means  : the spatial maximum and mean of each image
    after         : all values after the normalisation and activation that follow; a Distribution where the activation
                    does more than cut off, else the bins of `maps` tell it all (analysis.statistics.after)
    sums          : [C] float64 each of `SUMS`
    highest, lowest : the images of the greatest and of the least peaks (values of `lowest` are negated)
    """

    PARTS: ClassVar[Mapping[str, Any]] = {
        "maps": Distribution,
        "peaks": Distribution,
        "means": Distribution,
        "after": Moments,
        "highest": Ranking,
        "lowest": Ranking,
        "classes": ClassSums,
        "drawn": Drawn,
        "covariance": Covariance,
        "follow": Follow,
    }

    def __init__(self, follow: Follow, settings: Settings) -> None:
        channels = len(follow.scale)
        self.follow = follow
        self.maps = Distribution(channels)
        self.peaks = Distribution(channels)
        self.means = Distribution(channels)
        self.after = Distribution(channels) if follow.function else Moments(channels)
        self.highest = Ranking(channels, settings.keep)
        self.lowest = Ranking(channels, settings.keep)
        self.classes = ClassSums(channels)
        self.drawn = Drawn(channels)
        self.covariance = Covariance(min(channels, settings.width))
        self.totals = np.zeros((len(SUMS), channels))
        self._waiting: list[Images] = []
        self._each = [np.empty((channels, ROOM)) for _ in range(3)]
        self._places = np.empty((channels, ROOM), np.int64)

    @property
    def sums(self) -> dict[str, np.ndarray]:
        """[C] each of `kernel.SUMS`."""
        return dict(zip(SUMS, self.totals, strict=True))

    def update(self, maps: np.ndarray, images: Images) -> None:
        """maps [n, C, H, W] (or [n, C, …] of any other number of dimensions) float32, of these images."""
        for start in range(0, len(maps), ROOM):
            part = slice(start, start + ROOM)
            self._walk(maps[part], Images(*(getattr(images, name)[part] for name in Images.FIELDS)))

    def _walk(self, maps: np.ndarray, images: Images) -> None:
        """As `update`, of at most ROOM images."""
        count, channels = maps.shape[:2]
        size = maps.shape[2:] if maps.ndim == 4 else (1, math.prod(maps.shape[2:]))
        flat = np.ascontiguousarray(maps.reshape(count, channels, -1))
        width = size[1] if maps.ndim == 4 else 0
        start = sum(len(each.numbers) for each in self._waiting)
        if start + count > ROOM:
            self.take_in()
            start = 0
        columns = len(self.covariance.mean)
        places = grid_places(*size) if columns else np.zeros(0, np.int64)
        rows = np.zeros((columns, count * len(places)), np.float32)
        after, bent = flat[:0], self.maps.bins[:0]
        if self.follow.function is not None and isinstance(self.after, Distribution):
            after, bent = self.follow.after(flat), self.after.bins
        walk(
            flat,
            after,
            (width, stride_of(flat.shape[2], width)),
            (self.follow.scale, self.follow.shift, np.array(self.follow.bounds, np.float32)),
            (places, *buckets(channels, columns)),
            (self.maps.table, self.after.table, self.totals),
            (self.maps.bins, bent),
            (*self._each, self._places, start),
            rows,
        )
        self._waiting.append(images)
        if columns:
            self.covariance.update(rows)

    def take_in(self) -> None:
        """Let what waits of each image into the accumulators: many at once are quick, few are slow."""
        if not self._waiting:
            return
        parts = self._waiting
        images = Images(*(np.concatenate([getattr(each, name) for each in parts]) for name in Images.FIELDS))
        self._waiting = []
        count = len(images.numbers)
        peaks, means, after = (each[:, :count] for each in self._each)
        places = self._places[:, :count]
        self.peaks.update(peaks)
        self.means.update(means)
        self.highest.update(peaks, images.numbers, places)
        self.lowest.update(peaks, images.numbers, places, sign=-1)
        labelled = images.labels >= 0
        if labelled.any():
            self.classes.update(after.T[labelled], images.labels[labelled])
        if images.drawn.any():
            rows = images.drawn
            numbers = peaks.T[rows], places.T[rows], after.T[rows]
            self.drawn.update(images.numbers[rows], images.labels[rows], *numbers)

    def merge(self, other: LayerState) -> None:
        self.take_in()
        other.take_in()
        for name in self.PARTS:
            if name != "follow":
                getattr(self, name).merge(getattr(other, name))
        self.totals += other.totals

    def arrays(self) -> dict[str, np.ndarray]:
        self.take_in()
        parts = {name: getattr(self, name).arrays() for name in self.PARTS}
        parts["sums"] = self.sums
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> LayerState:
        made = cls.__new__(cls)
        for part, kind in cls.PARTS.items():
            own = arrays_of(arrays, part)
            counted = part == "after" and "bins.starts" in own
            setattr(made, part, (Distribution if counted else kind).from_arrays(own))
        made._waiting = []
        made.totals = np.stack([arrays[f"sums.{name}"] for name in SUMS])
        return made


def arrays_of(arrays: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """The arrays of one part of a state, under the part's own names."""
    return {name[len(part) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{part}.")}
