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


def like_it(exemplars: pd.DataFrame, channel: int, images: int) -> list[Alike]:
    """The channels whose strongest images are this one's, most first, as far as chance does not explain it."""
    return _overlap(exemplars, channel, "top", images)


def against_it(exemplars: pd.DataFrame, channel: int, images: int) -> list[Alike]:
    """The channels whose strongest images are those that silence this one."""
    return _overlap(exemplars, channel, "least", images)


def _overlap(exemplars: pd.DataFrame, channel: int, kind: str, images: int) -> list[Alike]:
    """Counts beyond mean + 3 deviations of the number that two random sets of these sizes share (hypergeometric)."""
    rows = exemplars[["channel", "kind", "image"]]
    own = set(rows["image"][(rows["channel"] == channel) & (rows["kind"] == kind)])
    top = rows[(rows["kind"] == "top") & (rows["channel"] != channel)]
    if not own or top.empty or images < 2:
        return []
    sizes = top.groupby("channel")["image"].nunique()
    shared = top[top["image"].isin(own)].groupby("channel")["image"].nunique()
    expected = sizes.loc[shared.index] * len(own) / images
    spread = np.sqrt(expected * (1 - len(own) / images) * (images - sizes.loc[shared.index]) / (images - 1))
    sure = (
        shared[(shared >= 2) & (shared > expected + 3 * spread)].sort_values(ascending=False, kind="stable").head(MOST)
    )
    return [Alike(int(str(other)), int(count), len(own)) for other, count in sure.items()]
