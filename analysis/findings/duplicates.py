"""Duplicate channels: several of a layer that are one filter and say the same."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, prod

import numpy as np
import pandas as pd
from scipy.special import betainc

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.words import counted
from analysis.models.layers import ConvLayer

COSINE, CORRELATION = 0.95, 0.95
"""Filters as alike as this, and responses. The most alike healthy filters known here: 0.81."""
COPY = 0.999
"""Training may bring filters near each other, in small nets to 0.98; this near, one was copied from the other."""
MUCH, SOME = 0.2, 0.05
"""Share of a layer's channels that could be spared, from which it is high (where they are copies), medium."""
BY_CHANCE = 0.01
"""Pairs expected among random filters, above which alike filters mean nothing: few inputs leave no room."""


def judge(evidence: Evidence) -> Iterator[Finding]:
    for layer, (weights, statistics) in evidence.each("weights", "statistics"):
        inputs = layer.in_channels // layer.groups * prod(layer.kernel_size)
        chance = pairs_by_chance(layer, inputs)
        pairs = alike(weights, statistics)
        if chance > BY_CHANCE or not len(pairs):
            continue
        groups = joined(pairs)
        spare = sum(len(group) - 1 for group in groups)
        share = spare / layer.out_channels
        channels = [channel for group in groups for channel in group]
        cosine = float(weights.set_index("channel").loc[channels, "twin_cosine"].abs().median())
        yield Finding(
            RULE.name,
            "high" if share >= MUCH and cosine >= COPY else "medium" if share >= SOME else "low",
            f"{counted(len(channels), 'channel')} of {layer.out_channels} in {layer.name} "
            f"{'are copies of' if cosine >= COPY else 'all but repeat'} one another: {spare} could go.",
            layer.name,
            evidence.units(layer.name, channels),
            {
                "channels that are alike": len(channels),
                "that could be spared": spare,
                "median cosine of their filters": round(cosine, 4),
                "copies": ", ".join(" = ".join(map(str, group)) for group in groups[:8]),
            },
            f"Among {layer.out_channels} random filters of {inputs} weights {chance:.1g} pairs would be as alike as "
            f"{COSINE}; in healthy trained nets the most alike pair stands at about 0.8.",
            "Prune the copies and add their outgoing weights to the one that stays, or train a narrower layer. If the "
            "layer was widened or its weights were copied on purpose, break the symmetry with noise.",
        )


def pairs_by_chance(layer: ConvLayer, inputs: int) -> float:
    """Expected number of pairs with |cosine| ≥ COSINE among random directions in as many dimensions as a filter has
    weights: one pair's chance is the regularised incomplete beta function I(1 − c²; (d − 1)/2, 1/2)."""
    if inputs < 2:
        return float("inf")
    a_group = layer.out_channels // layer.groups
    return layer.groups * comb(a_group, 2) * float(betainc((inputs - 1) / 2, 0.5, 1 - COSINE**2))


def alike(weights: pd.DataFrame, statistics: pd.DataFrame) -> np.ndarray:
    """[n, 2]: each channel whose filter is as good as its twin's, with the twin; responses, where both vary, agree.

    A filter and its negative are no copies: a ReLU lets through what the other shuts out.
    """
    same = weights["twin_cosine"].to_numpy() >= COSINE
    same &= ~(np.abs(statistics["twin_correlation"].to_numpy()) < CORRELATION)
    return weights[["channel", "twin"]].to_numpy()[same]


def joined(pairs: np.ndarray) -> list[list[int]]:
    """Pairs → the groups they make, each rising, the largest first."""
    groups: list[set[int]] = []
    for pair in pairs.tolist():
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))


RULE = Rule(
    "duplicates",
    "Duplicate channels",
    "Channels of one layer with the same filter and the same response.",
    {"weights": ("twin", "twin_cosine"), "statistics": ("twin_correlation",)},
    judge,
)
