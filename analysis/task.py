"""A task: the smallest piece of a build, a pure function of what its key is the hash of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

UNKEYED = ("priority", "intermediate")


@dataclass(frozen=True)
class Task:
    """One run of one technique over a part of one model and one probe.

    Two tasks of the same key make the same artifact, so a task is run when its artifact is not there yet,
    and may be run twice without harm.

    technique, version : which code makes it; a technique raises its version when its results change
    model, probe       : sha256 of the model file and hash of the probe (None where it needs no images)
    layer, channels    : the layer and the half-open channel range, None for "all of them"
    part               : the half-open range of the probe's images, for a technique that cuts its work by them
    parameters         : everything else the result depends on, JSON-able
    needs              : keys of the tasks whose artifacts it reads
    priority           : what runs first; higher is sooner; no part of the key
    intermediate       : read by other tasks alone, and of no use once these are done; no part of the key
    """

    technique: str
    version: int
    model: str
    probe: str | None = None
    layer: str | None = None
    channels: tuple[int, int] | None = None
    part: tuple[int, int] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    priority: int = 0
    intermediate: bool = False

    @cached_property
    def key(self) -> str:
        """32 hexadecimal digits of the sha256 over everything the result depends on."""
        facts = {name: value for name, value in self.to_json().items() if name not in UNKEYED}
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def to_json(self) -> dict[str, Any]:
        # not dataclasses.asdict, which copies ten times as slowly: a reader works out thousands of keys
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        facts["parameters"] = dict(self.parameters)
        for name in ("channels", "part", "needs"):
            facts[name] = None if facts[name] is None else list(facts[name])
        return facts

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Task:
        pairs = {
            name: None if facts[name] is None else (facts[name][0], facts[name][1]) for name in ("channels", "part")
        }
        return cls(**{**facts, **pairs, "needs": tuple(facts["needs"])})
