"""Headroom in half precision: activations that overflow, or nearly, when the model is run in fp16."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule

LARGEST = 65504.0
"""Of IEEE half precision."""
NEAR = 0.1
"""Share of it from which other images may well go beyond."""


def judge(evidence: Evidence) -> Iterator[Finding]:
    """One finding, of the layer that comes nearest."""
    reached = [
        (float(greatest.max()), layer.name, greatest)
        for layer, (table,) in evidence.each("statistics")
        if (greatest := table[["min", "max"]].abs().max(axis=1).fillna(0)).max() > NEAR * LARGEST
    ]
    if not reached:
        return
    most, layer, greatest = max(reached, key=lambda each: each[0])
    yield Finding(
        RULE.name,
        "medium" if most > LARGEST else "low",
        f"In half precision {layer} {'overflows' if most > LARGEST else 'comes near to overflowing'}.",
        layer,
        evidence.units(layer, greatest[greatest > NEAR * LARGEST].sort_values(ascending=False).index),
        {
            "greatest activation": round(most, 1),
            "share of fp16's range": round(most / LARGEST, 4),
            "layers": len(reached),
        },
        f"Below {NEAR:.0%} of fp16's range, {NEAR * LARGEST:,.0f}, there is room for brighter or stranger images.",
        "Run it in bfloat16 or fp32, or scale the layer down: batch norm, weight decay, loss scaling in training.",
    )


RULE = Rule(
    "headroom",
    "Headroom in half precision",
    "Activations that overflow fp16, or nearly.",
    {"statistics": ("min", "max")},
    judge,
)
