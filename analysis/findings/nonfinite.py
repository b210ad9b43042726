"""Numbers that are none: NaN and infinity in weights or activations."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.words import counted

CURE = "Go back to an earlier checkpoint. In the next training, clip gradients, and look at the learning rate."


def judge(evidence: Evidence) -> Iterator[Finding]:
    """Weights of every layer; activations of the first layer that has any, since all that follow inherit them."""
    for layer, (table,) in evidence.each("weights"):
        bad = table[table["nonfinite"] > 0]
        if len(bad):
            yield Finding(
                RULE.name,
                "high",
                f"{counted(int(bad['nonfinite'].sum()), 'weight')} of {layer.name} are NaN or infinite.",
                layer.name,
                evidence.units(layer.name, bad.sort_values("nonfinite", ascending=False)["channel"]),
                {"weights that are no numbers": int(bad["nonfinite"].sum()), "channels": len(bad)},
                "A sound checkpoint has none.",
                CURE,
            )
    struck = [(layer, table) for layer, (table,) in evidence.each("statistics") if (table["nonfinite"] > 0).any()]
    if struck:
        layer, table = struck[0]
        bad = table[table["nonfinite"] > 0].sort_values("nonfinite", ascending=False)
        yield Finding(
            RULE.name,
            "high",
            f"From {layer.name} on, the model computes NaN or infinity on these images.",
            layer.name,
            evidence.units(layer.name, bad["channel"]),
            {
                "values that are no numbers": int(bad["nonfinite"].sum()),
                "channels": len(bad),
                "layers that have some": len(struck),
            },
            "A sound model computes none on real images.",
            CURE,
        )


RULE = Rule(
    "nonfinite",
    "Numbers that are none",
    "Weights or activations that are NaN or infinite.",
    {"weights": ("nonfinite",), "statistics": ("nonfinite",)},
    judge,
)
