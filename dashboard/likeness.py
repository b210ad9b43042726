"""Which channels of a layer answer to the same images, and which are excited by what silences one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST = 8
"""Channels that are named of each kind."""


@dataclass(frozen=True)
class Alike:
    """shared: images of `channel` that are also this one's · of: how many each has."""

    channel: int
    shared: int
    of: int


@dataclass(frozen=True)
class Sets:
    """The strongest and the weakest images of every channel, as pairs [n, 2] of channel and image, each once."""

    top: np.ndarray
    least: np.ndarray

    @classmethod
    def of(cls, exemplars: pd.DataFrame) -> Sets:
        pairs = exemplars[["channel", "image"]].to_numpy(np.int64)
        kinds = exemplars["kind"].to_numpy(object)
        return cls(*(np.unique(pairs[kinds == kind], axis=0) for kind in ("top", "least")))


def like_it(sets: Sets, channel: int, images: int) -> list[Alike]:
    """The channels whose strongest images are this one's, most first, as far as chance does not explain it."""
    return _overlap(sets.top, sets.top, channel, images)


def against_it(sets: Sets, channel: int, images: int) -> list[Alike]:
    """The channels whose strongest images are those that silence this one."""
    return _overlap(sets.least, sets.top, channel, images)


def _overlap(ours: np.ndarray, theirs: np.ndarray, channel: int, images: int) -> list[Alike]:
    """Counts beyond mean + 3 deviations of the number that two random sets of these sizes share (hypergeometric)."""
    own, others = ours[ours[:, 0] == channel, 1], theirs[theirs[:, 0] != channel]
    if not len(own) or not len(others) or images < 2:
        return []
    sizes = np.bincount(others[:, 0])
    shared = np.bincount(others[np.isin(others[:, 1], own), 0], minlength=len(sizes))
    expected = sizes * len(own) / images
    spread = np.sqrt(expected * (1 - len(own) / images) * np.maximum(0, images - sizes) / (images - 1))
    sure = np.flatnonzero((shared >= 2) & (shared > expected + 3 * spread))
    most = sure[np.argsort(-shared[sure], kind="stable")][:MOST]
    return [Alike(int(other), int(shared[other]), len(own)) for other in most]
