"""Untrained layers: weights that every test takes for random numbers.

The spectral edge alone is no verdict: healthy 1 × 1 layers end below it where their weights are heavy-tailed. So a
layer must look drawn at random in all that training changes: its spectrum, its tails, the norms of its filters and, of
kernels, how neighbours go together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.models.layers import ConvLayer

EDGE = 1.05
"""Largest singular value ÷ the Marchenko–Pastur edge of random weights, at most: 635 random layers reached 1.0496."""
SURE = 3.0
"""Standard errors that a figure may lie beyond what random weights show."""
LEAST_SIDE, LEAST_WEIGHTS = 16, 1024
"""Filters, inputs and weights below which the tests can not tell."""


@dataclass(frozen=True)
class Check:
    """One figure of a layer, the greatest that random weights give it, and what it is called."""

    name: str
    figure: float
    limit: float

    @property
    def random(self) -> bool:
        return self.figure <= self.limit


def judge(evidence: Evidence) -> Iterator[Finding]:
    judged, found = 0, []
    for layer, (table,) in evidence.each("weights"):
        checks = checks_of(layer, table, evidence.facts("weights", layer.name))
        judged += bool(checks)
        if checks and all(check.random for check in checks):
            found.append((layer, checks))
    if found and len(found) == judged > 1:
        yield _finding(None, f"All {judged} layers that can be judged", found[0][1])
    else:
        yield from (_finding(layer.name, layer.name, checks) for layer, checks in found)


def _finding(layer: str | None, who: str, checks: list[Check]) -> Finding:
    verb = "look" if layer is None else "looks"
    return Finding(
        RULE.name,
        "high",
        f"{who} {verb} untrained: nothing tells the weights from random numbers.",
        layer,
        (),
        {check.name: round(check.figure, 3) for check in checks},
        "Trained weights fail at least one of these tests, random ones pass all: "
        + "; ".join(f"{check.name} at most {check.limit:.3g}" for check in checks)
        + ".",
        "Check the key names of the checkpoint and what loading it said of missing keys: this layer may never have "
        "been loaded, or was put back to its start. If it was frozen on purpose, nothing is wrong.",
    )


def checks_of(layer: ConvLayer, table: pd.DataFrame, facts: Mapping[str, Any]) -> list[Check]:
    """Of weights [filters, inputs, height, width]; none where they are too few, not finite or have no spectrum."""
    shape, edge, tails = facts.get("shape"), facts.get("edge_ratio"), facts.get("kurtosis")
    if not shape or edge is None or tails is None:
        return []
    filters, inputs = shape[0], math.prod(shape[1:])
    if min(filters // layer.groups, inputs) < LEAST_SIDE or filters * inputs < LEAST_WEIGHTS:
        return []
    norms = table["norm"]
    checks = [
        Check("spectral edge", edge, EDGE),
        Check("excess kurtosis", tails, SURE * math.sqrt(24 / (filters * inputs))),
        # of n Gaussian weights the norm varies by 1/√(2n) of itself
        Check(
            "spread of norms, in that of random ones",
            float(norms.std(ddof=0) / norms.mean() * math.sqrt(2 * inputs)),
            1 + SURE / math.sqrt(2 * (filters - 1)),
        ),
    ]
    if facts.get("smoothness") is not None:
        checks.append(Check("smoothness of kernels", facts["smoothness"], random_smoothness(shape, SURE)))
    return checks


def random_smoothness(shape: list[int], sure: float) -> float:
    """What random kernels' smoothness stays below, so many standard errors above its mean.

    A kernel's own mean is taken off, so of p random weights any two go together by −1/(p − 1); the figure is a mean
    over as many pairs of neighbours as there are.
    """
    kernels, (height, width) = shape[0] * shape[1], shape[2:]
    pairs = kernels * (height * (width - 1) + width * (height - 1))
    return -1 / (height * width - 1) + sure / math.sqrt(pairs)


RULE = Rule(
    "untrained",
    "Untrained layers",
    "Layers whose weights look like the random numbers that they began as.",
    {"weights": ("norm",)},
    judge,
)
