"""Unused capacity: channels of the whole model that could go and would not be missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule
from analysis.findings.words import counted, percent

DORMANT = 0.025
"""Mean after the ReLU ÷ the layer's mean, up to which a channel sleeps: τ of Sokar et al. 2023 (arXiv 2302.12902)."""
CONSTANT = 1e-3
"""Scale of the batch norm ÷ the layer's median, below which a channel says the same whatever it sees."""
MUCH, SOME = 0.1, 0.01
"""Share of all channels from which it is medium, low. Nets that work well have up to 8 %."""
CUT_OFF = frozenset({"relu", "relu6"})


def judge(evidence: Evidence) -> Iterator[Finding]:
    units: list[str] = []
    kinds = {"dead": 0, "constant": 0, "dormant": 0}
    channels = 0
    for layer, (statistics, weights) in evidence.each("statistics", "weights"):
        kind = _kinds(statistics, weights, evidence.facts("statistics", layer.name))
        channels += len(kind)
        units += evidence.units(layer.name, np.flatnonzero(kind != ""))
        for name in kinds:
            kinds[name] += int((kind == name).sum())
    share = len(units) / max(channels, 1)
    if share < SOME:
        return
    yield Finding(
        RULE.name,
        "medium" if share >= MUCH else "low",
        f"{counted(len(units), 'channel')} of {channels:,}, {percent(share)}, could go and would hardly be missed.",
        None,
        tuple(units),
        {"channels that could go": len(units), "share": round(share, 4), **kinds},
        f"Nets that work well have less than {percent(MUCH)} of such channels: dead, constant (scale of the batch norm "
        f"under 1/{1 / CONSTANT:,.0f} of the layer's) or dormant (under {percent(DORMANT)} of the layer's mean).",
        "Prune them for a smaller model, or train a narrower one. Images all of one kind put channels to sleep: "
        "measure on varied ones first.",
    )


def _kinds(statistics: pd.DataFrame, weights: pd.DataFrame, facts: Mapping[str, Any]) -> np.ndarray:
    """[channels] each "dead", "constant", "dormant" or ""."""
    kind = np.full(len(statistics), "", dtype="<U8")
    if facts.get("activation") in CUT_OFF and not facts.get("joined"):
        strength = np.abs(statistics["after_mean"].to_numpy())
        known = strength[np.isfinite(strength)]
        kind[strength <= DORMANT * known.mean() if len(known) else False] = "dormant"
    kind[np.abs(weights["gamma_ratio"].to_numpy()) < CONSTANT] = "constant"
    kind[statistics["dead"].to_numpy()] = "dead"
    return kind


RULE = Rule(
    "unused",
    "Unused capacity",
    "Channels that are dead, constant or dormant: the model does without them.",
    {"statistics": ("dead", "after_mean"), "weights": ("gamma_ratio",)},
    judge,
)
