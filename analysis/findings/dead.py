"""Dead channels: on no image does anything of them get through the ReLU that follows."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.words import counted, percent

HIGH, MEDIUM, LOW = 0.33, 0.15, 0.05
"""Share of a layer's channels from which a layer is named, and how grave it is. Set on nets that work well: a LeNet has
13 % of a layer dead, a photo classifier 10 %."""
FEWEST = 30
"""Images below which silence says little: a channel that one image in ten opens stays shut on 30 with 4 %."""
NAMED = 2
"""Dead channels from which a layer is named; all others are one finding together."""
CURE = (
    "Prune them: nothing changes. In the next training, lower the learning rate or the weight decay on the batch norm, "
    "or use an activation that does not shut for good."
)


def judge(evidence: Evidence) -> Iterator[Finding]:
    scattered: list[str] = []
    fewest, layers = 0, 0
    for layer, (table,) in evidence.each("statistics"):
        dead = table.loc[table["dead"], "channel"]
        images = int(table["images"].max())
        if dead.empty or images < FEWEST:
            continue
        units, share = evidence.units(layer.name, dead), len(dead) / len(table)
        if len(dead) < NAMED or share < LOW:
            scattered += units
            fewest, layers = min(fewest or images, images), layers + 1
            continue
        yield Finding(
            RULE.name,
            "high" if share >= HIGH else "medium" if share >= MEDIUM else "low",
            f"{counted(len(dead), 'channel')} of {len(table)} in {layer.name} let nothing through on any image.",
            layer.name,
            units,
            {"dead channels": len(dead), "share of the layer": round(share, 4), "images": images},
            _null(images),
            CURE,
        )
    if scattered:
        yield Finding(
            RULE.name,
            "low",
            f"{counted(len(scattered), 'channel')} here and there, in {counted(layers, 'layer')}, let nothing through "
            "on any image.",
            None,
            tuple(scattered),
            {"dead channels": len(scattered), "layers": layers, "images": fewest},
            _null(fewest),
            CURE,
        )


def _null(images: int) -> str:
    return (
        f"A living channel opens on some of {images} images: one that opens on 1 image in {images // 3} or more is "
        f"seen to live with 95 % certainty (the rule of three). Nets that work well have up to {percent(MEDIUM)} "
        "of a layer dead."
    )


RULE = Rule(
    "dead",
    "Dead channels",
    "Channels that the ReLU after them silences on every image.",
    {"statistics": ("dead", "images")},
    judge,
)
