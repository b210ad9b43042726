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
    """Three of sixteen in one layer are named with it, six of sixty-four in another are among the scattered ones."""
    atlas = sample("doodles-sick")
    found = of_rule(atlas, "dead")
    few, many = (f"{block}.conv1" for block in faults.DEAD)
    assert channels(found[few]) == set(faults.DEAD["layer1.1"])
    assert set(found) == {few, None}
    scattered = [Unit.parse(unit) for unit in found[None].units]
    assert {unit.channel for unit in scattered if unit.layer == many} == set(faults.DEAD["layer3.0"])
    assert len([unit for unit in scattered if unit.layer != many]) <= 2, "few others sleep on so few images"


def test_duplicated_filters(sample: Sample) -> None:
    (block, pairs), *_ = faults.TWINS.items()
    found = of_rule(sample("doodles-sick"), "duplicates")
    assert set(found) == {f"{block}.conv1"}
    finding = found[f"{block}.conv1"]
    assert channels(finding) == {channel for pair in pairs for channel in pair}
    assert finding.severity == "high"
    assert finding.evidence["that could be spared"] == len(pairs)


def test_a_forgotten_layer_is_the_only_untrained_one(sample: Sample) -> None:
    found = of_rule(sample("doodles-sick"), "untrained")
    assert set(found) == {faults.UNTRAINED}
    assert found[faults.UNTRAINED].severity == "high"


def test_images_that_are_not_normalised_as_in_training(sample: Sample) -> None:
    (finding,) = of_rule(sample("doodles-sick"), "input").values()
    assert (finding.severity, finding.layer) == ("high", "conv1")


def test_a_shortcut_is_named_with_its_class_and_its_corners(sample: Sample) -> None:
    atlas = sample("doodles-shortcut")
    high = [finding for finding in find(atlas) if finding.severity == "high"]
    assert [finding.rule for finding in high] == ["shortcut"]
    assert high[0].evidence["class"] == "toadstool"
    assert "lower corners" in high[0].title
    for unit in map(Unit.parse, high[0].units):
        exemplars = atlas.exemplars(unit.layer)
        assert exemplars is not None
        mine = exemplars[(exemplars["channel"] == unit.channel) & (exemplars["kind"] == "top")]
        assert (mine["label"] == "toadstool").mean() > 0.8


def test_a_healthy_net_has_none_of_them(sample: Sample) -> None:
    assert [finding for finding in find(sample("doodles")) if finding.severity != "low"] == []
