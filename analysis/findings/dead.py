"""Dead channels: on no image does anything of them get through the ReLU that follows."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.words import counted, percent

HIGH, MEDIUM = 0.33, 0.15
"""Share of a layer's channels from which the layer is named, and how grave it is. Set on nets that work well: a LeNet
has 13 % of a layer dead, a photo classifier 10 %."""
FEWEST = 30
"""Images below which silence says little: a channel that one image in ten opens stays shut on 30 with 4 %."""
NAMED = 2
"""Dead channels from which a layer is named; the others of the model are one finding together."""
CURE = (
    "Prune them: nothing changes. In the next training, lower the learning rate or the weight decay on the batch norm, "
    "or use an activation that does not shut for good."
)


def judge(evidence: Evidence) -> Iterator[Finding]:
    scattered: dict[str, tuple[str, ...]] = {}
    seen = 0
    for layer, (table,) in evidence.each("statistics"):
        dead = table.loc[table["dead"], "channel"]
        images = int(table["images"].max())
        if dead.empty or images < FEWEST:
            continue
        units, share = evidence.units(layer.name, dead), len(dead) / len(table)
        if len(dead) < NAMED or share < MEDIUM:
            scattered[layer.name], seen = units, max(seen, images)
            continue
        yield Finding(
            RULE.name,
            "high" if share >= HIGH else "medium",
            f"{counted(len(dead), 'channel')} of {len(table)} in {layer.name} let nothing through on any image.",
            layer.name,
            units,
            {"dead channels": len(dead), "share of the layer": round(share, 4), "images": images},
            _null(images),
            CURE,
        )
    if scattered:
        number = sum(map(len, scattered.values()))
        most = sorted(scattered, key=lambda name: -len(scattered[name]))
        yield Finding(
            RULE.name,
            "low",
            f"{counted(number, 'channel')} in {counted(len(scattered), 'layer')} {'lets' if number == 1 else 'let'} "
            "nothing through on any image.",
            None,
            tuple(unit for name in most for unit in scattered[name]),
            {"dead channels": number, "layers": len(scattered), "most in": most[0], "images": seen},
            _null(seen),
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
