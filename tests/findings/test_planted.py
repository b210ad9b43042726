"""Faults planted on purpose are found: the right rule, the right layer, the right channels. And nothing else is."""

from __future__ import annotations

from collections.abc import Callable

from analysis.atlas.atlas import Atlas
from analysis.findings.find import find
from analysis.findings.finding import Finding
from analysis.unit import Unit
from sample_models import faults

Sample = Callable[[str], Atlas]


def of_rule(atlas: Atlas, rule: str) -> dict[str | None, Finding]:
    """Layer → what the rule found there."""
    return {finding.layer: finding for finding in find(atlas) if finding.rule == rule}


def channels(finding: Finding) -> set[int]:
    return {Unit.parse(unit).channel for unit in finding.units}


def test_dead_channels(sample: Sample) -> None:
    found = of_rule(sample("doodles-sick"), "dead")
    named = {layer: channels(finding) for layer, finding in found.items() if layer is not None}
    assert named == {f"{block}.conv1": set(dead) for block, dead in faults.DEAD.items()}


def test_duplicated_filters(sample: Sample) -> None:
    (block, pairs), *_ = faults.TWINS.items()
    found = of_rule(sample("doodles-sick"), "duplicates")
    assert set(found) == {f"{block}.conv1"}
    finding = found[f"{block}.conv1"]
    assert channels(finding) == {channel for pair in pairs for channel in pair}
    assert finding.severity == "high"
    assert finding.evidence["that could be spared"] == len(pairs)


def test_a_healthy_net_has_none_of_them(sample: Sample) -> None:
    assert [finding for finding in find(sample("doodles")) if finding.severity != "low"] == []
