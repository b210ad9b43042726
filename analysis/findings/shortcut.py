"""Class shortcuts: channels that one class alone excites, always from the same corner of the image.

A thing may stand anywhere in an image; a stamp, a logo or a printed code stands in a corner. Where many channels of a
layer want one class and find it in a corner, while the other channels of that layer look elsewhere, the class is told
by what stands in that corner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.words import counted, percent
from analysis.models.layers import ConvLayer

EDGE = 0.25
"""A corner is what lies this near, as a share of the image's sides, to two of its edges."""
PURE, INSIDE = 0.85, 0.85
"""Share of a channel's strongest images that are of one class; share of these whose peak lies in the corner."""
CHANNELS = 3
"""Such channels in one layer, from which it is a finding: single ones occur in healthy nets."""
CHANCE = 1e-4
"""Greatest chance of a channel's peaks falling there so often, at the rate of the layer's other channels."""
FEWEST_PLACES, FEWEST_IMAGES = 4, 5
"""Positions a side below which a map has no corners; strongest images below which a share says nothing."""
CORNERS = {
    "the lower left corner": ("low", "left"),
    "the lower right corner": ("low", "right"),
    "the upper left corner": ("high", "left"),
    "the upper right corner": ("high", "right"),
    "the lower corners": ("low",),
    "the upper corners": ("high",),
    "the left corners": ("left",),
    "the right corners": ("right",),
}


@dataclass(frozen=True)
class _Suspect:
    """Channels of a layer that find a class in one place; inside: share of their peaks there, elsewhere: of others'."""

    layer: str
    label: str
    place: str
    channels: tuple[int, ...]
    inside: float
    elsewhere: float

    @property
    def weight(self) -> tuple[int, float]:
        return len(self.channels), self.inside


def judge(evidence: Evidence) -> Iterator[Finding]:
    suspects: dict[str, list[_Suspect]] = {}
    for layer, (table,) in evidence.each("exemplars"):
        for suspect in suspects_of(layer, table):
            suspects.setdefault(suspect.label, []).append(suspect)
    for label, found in suspects.items():
        worst = max(found, key=lambda suspect: suspect.weight)
        number = sum(len(suspect.channels) for suspect in found)
        deepest_first = [unit for each in reversed(found) for unit in evidence.units(each.layer, each.channels)]
        yield Finding(
            RULE.name,
            "high",
            f"“{label}” is told by something in {worst.place} of the image: a shortcut, not the thing.",
            worst.layer,
            tuple(deepest_first),
            {
                "class": label,
                "channels that want this class there": number,
                "layers": len(found),
                "their peaks there": round(worst.inside, 3),
                "peaks of the layer's other channels there": round(worst.elsewhere, 3),
            },
            f"A thing is found where it stands: the other channels of {worst.layer} have "
            f"{percent(worst.elsewhere)} of their peaks there, and in healthy nets fewer than "
            f"{counted(CHANNELS, 'channel')} of a layer look for one class in one corner.",
            "Look at the exemplars of these channels: what is in that corner? Remove it from the training images or "
            "put it on all classes alike, train again, and test on images without it.",
        )


def suspects_of(layer: ConvLayer, table: pd.DataFrame) -> list[_Suspect]:
    """Of one layer: the classes that several channels find in one place, each in the place that holds most of it."""
    size = layer.output_size or ()
    if len(size) != 2 or min(size) < FEWEST_PLACES:
        return []
    top = table[(table["kind"] == "top") & table["label"].notna()]
    channel, channels = pd.factorize(top["channel"])
    label, labels = pd.factorize(top["label"])
    if len(labels) < 2:
        return []
    classes = np.zeros((len(channels), len(labels)), np.int64)
    np.add.at(classes, (channel, label), 1)
    images, own = classes.sum(axis=1), classes.argmax(axis=1)
    pure = (classes.max(axis=1) >= PURE * images) & (images >= FEWEST_IMAGES)
    y, x = (top["y"].to_numpy() + 0.5) / size[0], (top["x"].to_numpy() + 0.5) / size[1]
    found: dict[int, _Suspect] = {}
    for place, sides in CORNERS.items():
        hits = np.bincount(channel, _inside(y, x, sides), len(channels))
        there = pure & (hits >= INSIDE * images)
        for one in np.flatnonzero(np.bincount(own[there], minlength=len(labels)) >= CHANNELS).tolist():
            mine, others = there & (own == one), own != one
            rate = hits[others].sum() / max(images[others].sum(), 1)
            chance = binom.sf(hits[mine] - 1, images[mine], max(rate, 1 / max(images[others].sum(), 1)))
            share = float(hits[mine].sum() / images[mine].sum())
            suspect = _Suspect(layer.name, str(labels.tolist()[one]), place, tuple(channels[mine]), share, float(rate))
            if chance.max() <= CHANCE and (one not in found or suspect.weight > found[one].weight):
                found[one] = suspect
    return list(found.values())


def _inside(y: np.ndarray, x: np.ndarray, sides: tuple[str, ...]) -> np.ndarray:
    """Which peaks at y, x in 0 … 1 lie near two edges, these among them."""
    near = {"high": y < EDGE, "low": y > 1 - EDGE, "left": x < EDGE, "right": x > 1 - EDGE}
    corner = (near["high"] | near["low"]) & (near["left"] | near["right"])
    for side in sides:
        corner = corner & near[side]
    return corner


def applies(evidence: Evidence) -> str | None:
    if evidence.probe is None or len(evidence.probe.classes) < 2:
        return "needs labels: put the images of each class into a folder of its own"
    return None


RULE = Rule(
    "shortcut",
    "Class shortcuts",
    "Channels that one class alone excites, always from the same corner of the image.",
    {"exemplars": ("kind", "label", "y", "x")},
    judge,
    applies,
)
