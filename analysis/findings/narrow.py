"""Low rank: layers whose channels move together in a few directions only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.words import percent

LOW = 0.15
"""Directions that hold 99 % of the variance ÷ directions there could be, below which a layer is narrow. Trained and
random nets alike mostly use 17 % and more, so this is a hint, no verdict."""
MANY = 1 / 3
"""Share of the layers, from which it is the model's state and not a layer's."""
LEAST = 16
"""Directions there could be, below which a share says nothing."""


def judge(evidence: Evidence) -> Iterator[Finding]:
    shares: list[tuple[float, str, int, int]] = []
    judged = 0
    for layer, _ in evidence.each("statistics"):
        facts = evidence.facts("statistics", layer.name).get("structure")
        possible = min(layer.out_channels, layer.in_channels * prod(layer.kernel_size), *_limits(facts))
        if facts is None or possible < LEAST:
            continue
        judged += 1
        if facts["k99"] / possible < LOW:
            shares.append((facts["k99"] / possible, layer.name, int(facts["k99"]), possible))
    if not shares:
        return
    share, worst, used, possible = min(shares)
    if len(shares) == 1:
        title = f"The channels of {worst} move together in {used} of {possible} directions that they could take."
    else:
        title = (
            f"In {len(shares)} of {judged} layers the channels move together, most in {worst}: in {used} of {possible} "
            "directions."
        )
    yield Finding(
        RULE.name,
        "medium" if len(shares) >= MANY * judged and len(shares) > 1 else "low",
        title,
        worst if len(shares) == 1 else None,
        (),
        {
            "layers": len(shares),
            "directions that hold 99 %": used,
            "directions there could be": possible,
            "share": round(share, 3),
            "also in": ", ".join(name for _, name, _, _ in sorted(shares)[1:6]),
        },
        f"In healthy nets, and in random ones, 99 % of the variance fill {percent(LOW)} of the directions or more.",
        "Make sure that the input is right and the images are varied: images of one kind look the same from here. Then "
        "compare with other checkpoints: a rank that falls in training is a collapse; a layer that was always like "
        "this can be narrower.",
    )


def _limits(facts: Mapping[str, Any] | None) -> tuple[int, int]:
    """Rows and dimensions that the covariance was taken of: no more directions could show."""
    return (0, 0) if facts is None else (int(facts["rows"]), int(facts.get("dimensions", facts["rows"])))


RULE = Rule(
    "narrow",
    "Low rank",
    "Layers whose channels move together in a few directions only.",
    {"statistics": ("channel",)},
    judge,
)
