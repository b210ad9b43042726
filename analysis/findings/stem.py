"""A noisy stem: kernels of the first layer whose neighbouring weights go together no better than random ones do."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.untrained import SURE, random_smoothness

LEAST_KERNELS = 16
"""Kernels below which the null is too wide to tell."""


def judge(evidence: Evidence) -> Iterator[Finding]:
    first = evidence.layers[0].name
    facts = evidence.facts("weights", first)
    smoothness, shape = facts.get("smoothness"), facts.get("shape") or [0, 0]
    if smoothness is None or shape[0] * shape[1] < LEAST_KERNELS:
        return
    limit, mean = random_smoothness(shape, SURE), random_smoothness(shape, 0)
    if smoothness > limit:
        return
    below = smoothness < mean - (limit - mean)
    yield Finding(
        RULE.name,
        "medium",
        f"The first layer, {first}, sees {'checkerboards' if below else 'noise'}, not edges and colours.",
        first,
        (),
        {"smoothness": round(smoothness, 3), "random kernels stay below": round(limit, 3)},
        f"Kernels of random weights have {mean:.2f}; those of trained stems stand clearly above {limit:.2f}, most of "
        "them above 0.",
        "Train longer or with a lower learning rate and some weight decay; check that the images reach it as they "
        "should, and that a stride of 4 or more is not its first step.",
    )


def applies(evidence: Evidence) -> str | None:
    facts = evidence.facts("weights", evidence.layers[0].name)
    if facts and facts.get("smoothness") is None:
        return "not applicable: the first layer's kernels are smaller than 3 × 3"
    return None


RULE = Rule(
    "stem",
    "Noisy stem",
    "A first layer whose kernels are no smoother than random ones.",
    {"weights": ("channel",)},
    judge,
    applies,
)
