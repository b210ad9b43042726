"""Everything that is accumulated of one layer, in one object that updates, merges, and becomes arrays and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.exemplars.ranking import Ranking
from analysis.statistics.class_sums import ClassSums
from analysis.statistics.covariance import Covariance, buckets, grid_places
from analysis.statistics.distribution import Distribution
from analysis.statistics.drawn import Drawn
from analysis.statistics.follow import Follow
from analysis.statistics.kernel import FIELDS, rows_at, stride_of, sum_after, walk
from analysis.statistics.moments import Moments

ENOUGH = 64
"""Images that are taken in at once."""


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
    after         : all values after the normalisation and activation that follow
    bent          : the same with their bins, where the activation does more than cut off; of 0 channels elsewhere,
                    where the bins of `maps` tell it all (analysis.statistics.after)
    sums          : [C] float64 each of `SUMS`
    highest, lowest : the images of the greatest and of the least peaks (values of `lowest` are negated)
    """

    SUMS = ("zeros", "negatives", "silent", "nonfinite", "after", "border", "border_count", "inside_count", "images")
    PARTS = (
        ("maps", Distribution),
        ("peaks", Distribution),
        ("means", Distribution),
        ("after", Moments),
        ("bent", Distribution),
        ("highest", Ranking),
        ("lowest", Ranking),
        ("classes", ClassSums),
        ("drawn", Drawn),
        ("covariance", Covariance),
    )

    def __init__(self, follow: Follow, settings: Settings) -> None:
        channels = len(follow.scale)
        self.follow = follow
        self.maps = Distribution(channels)
        self.peaks = Distribution(channels)
        self.means = Distribution(channels)
        self.after = Moments(channels)
        self.bent = Distribution(channels if follow.function else 0)
        self.highest = Ranking(channels, settings.keep)
        self.lowest = Ranking(channels, settings.keep)
        self.classes = ClassSums(channels)
        self.drawn = Drawn(channels)
        self.covariance = Covariance(min(channels, settings.width))
        self.sums = {name: np.zeros(channels) for name in self.SUMS}
        self.size: tuple[int, ...] = ()
        self._waiting: list[tuple[np.ndarray, Images]] = []

    def update(self, maps: np.ndarray, images: Images) -> None:
        """maps [n, C, H, W] (or [n, C, …] of any other number of dimensions) float32, of these images."""
        count, channels = maps.shape[:2]
        self.size = size = maps.shape[2:]
        flat = np.ascontiguousarray(maps.reshape(count, channels, -1))
        width = size[1] if len(size) == 2 else 0
        found = np.empty((count, channels, len(FIELDS)))
        bounds = np.array(self.follow.bounds, np.float32)
        stride = stride_of(flat.shape[2], width)
        walk(flat, width, stride, self.follow.scale, self.follow.shift, bounds, self.maps.countable(), found)
        if self.follow.function is not None:
            sum_after(self.follow.after(flat), flat, width, stride, self.bent.countable(), found)
        self._waiting.append((found, images))
        if len(self.covariance.mean):
            places = grid_places(*size) if len(size) == 2 else grid_places(1, flat.shape[2])
            width = len(self.covariance.mean)
            self.covariance.update(rows_at(flat, places, *buckets(channels, width), width))

        if sum(len(each) for each, _ in self._waiting) >= ENOUGH:
            self.take_in()

    def take_in(self) -> None:
        """Let what waits into the accumulators: numpy is quick with many images at once and slow with few."""
        if not self._waiting:
            return
        found = np.concatenate([each for each, _ in self._waiting])
        parts = [images for _, images in self._waiting]
        images = Images(*(np.concatenate([getattr(each, name) for each in parts]) for name in Images.FIELDS))
        self._waiting = []
        self.maps.update_walked(found)
        after = _after_moments(found)
        self.after.update_walked(after)
        if len(self.bent.count):
            self.bent.update_walked(after)
        self._add_sums(found)
        self._add_images(found, images)

    def _add_sums(self, found: np.ndarray) -> None:
        places = math.prod(self.size)
        total = found.sum(axis=0)
        for name in ("zeros", "negatives", "silent", "after"):
            self.sums[name] += total[:, FIELDS.index(name)]
        self.sums["nonfinite"] += len(found) * places - total[:, 0]
        self.sums["images"] += len(found)
        if len(self.size) == 2:  # the ring is that of maps without a value that is not finite
            whole = (found[:, :, 0] == places).sum(axis=0)
            inner = max(self.size[0] - 2, 0) * max(self.size[1] - 2, 0)
            self.sums["border"] += total[:, FIELDS.index("border")]
            self.sums["border_count"] += whole * float(places - inner)
            self.sums["inside_count"] += whole * float(inner)

    def _add_images(self, found: np.ndarray, images: Images) -> None:
        each = {name: found[:, :, number] for number, name in enumerate(FIELDS)}
        seen = each["count"] > 0
        peaks = np.where(seen, each["peak"], np.nan)
        after = np.divide(each["after"], each["count"], out=np.zeros_like(peaks), where=seen)
        self.peaks.update(peaks)
        self.means.update(np.where(seen, each["mean"], np.nan))
        self.highest.update(peaks, images.numbers, each["place"])
        self.lowest.update(-peaks, images.numbers, each["place"])
        labelled = images.labels >= 0
        if labelled.any():
            self.classes.update(after[labelled], images.labels[labelled])
        if images.drawn.any():
            rows = images.drawn
            self.drawn.update(images.numbers[rows], images.labels[rows], peaks[rows], each["place"][rows], after[rows])

    def merge(self, other: LayerState) -> None:
        self.take_in()
        other.take_in()
        for name, _ in self.PARTS:
            getattr(self, name).merge(getattr(other, name))
        for name in self.SUMS:
            self.sums[name] = self.sums[name] + other.sums[name]

    def arrays(self) -> dict[str, np.ndarray]:
        self.take_in()
        parts = {name: getattr(self, name).arrays() for name, _ in (*self.PARTS, ("follow", Follow))}
        parts["sums"] = self.sums
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> LayerState:
        made = cls.__new__(cls)
        for part, kind in (*cls.PARTS, ("follow", Follow)):
            setattr(made, part, kind.from_arrays(arrays_of(arrays, part)))
        made.size, made._waiting = (), []
        made.sums = {name: arrays[f"sums.{name}"].copy() for name in cls.SUMS}
        return made


def _after_moments(found: np.ndarray) -> np.ndarray:
    """found [n, C, FIELDS] → count, mean, m2, low, high of each map after the activation, [n, C, 5]."""
    names = ("count", "after", "after_squares", "after_low", "after_high")
    count, total, squares, low, high = (found[:, :, FIELDS.index(name)] for name in names)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return np.stack([count, mean, np.maximum(squares - total * mean, 0), low, high], axis=2)


def arrays_of(arrays: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """The arrays of one part of a state, under the part's own names."""
    return {name[len(part) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{part}.")}
