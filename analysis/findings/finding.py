"""One thing that looks wrong, as a meeting reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
"""Worst first: the model does not do what its owner believes; a part of it does not; worth knowing."""
NAMES: Mapping[Severity, str] = {"high": "grave", "medium": "doubtful", "low": "to know"}
"""As people read them; in components/browser/findings.js too."""


@dataclass(frozen=True)
class Finding:
    """rule     : name of the rule that found it
    title    : one sentence that a meeting understands
    layer    : where, None where it is the whole model
    units    : addresses of the channels it is about, most telling first; empty where it is a layer as a whole
    evidence : what was measured: a few words → the figure
    null     : what would be seen if nothing were wrong, with its figure
    cure     : what to do about it
    """

    rule: str
    severity: Severity
    title: str
    layer: str | None
    units: tuple[str, ...]
    evidence: Mapping[str, float | int | str]
    null: str
    cure: str

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "units": list(self.units), "evidence": dict(self.evidence)}


@dataclass(frozen=True)
class Missing:
    """A rule that could not be applied (to all of the model): its name, its title, and what it needs."""

    rule: str
    title: str
    needs: str
