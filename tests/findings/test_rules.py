"""Each rule on a net with one fault, or on the figures alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from analysis.findings.find import find, missing
from analysis.findings.finding import Finding
from analysis.findings.untrained import EDGE, checks_of, random_smoothness
from analysis.models.model import Model
from analysis.probe import open_probe
from analysis.statistics.follow import Follow
from analysis.statistics.weights import Filters, smoothness, weights_facts, weights_table
from tests.atlas.synthetic import layer as layer_of
from tests.findings.atlases import atlas_of
from tests.probe.pictures import write_pictures
from tests.statistics.nets import InPlace, opened


class Plain(nn.Module):
    """Three convolutions with smooth first kernels, two batch norms, a head of three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 5, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.middle = nn.Conv2d(16, 24, 3, bias=False)
        self.second = nn.BatchNorm2d(24)
        self.head = nn.Linear(24, 3)
        ramp = torch.linspace(-1, 1, 5)
        with torch.no_grad():
            self.stem.weight.copy_(torch.randn(16, 3, 1, 1) * ramp.view(1, 1, 5, 1) + torch.randn(16, 3, 1, 1) * ramp)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.stem(x)))
        x = torch.relu(self.second(self.middle(x)))
        return self.head(x.mean((2, 3)))


def healthy(folder: Path) -> Model:
    """Plain, with the statistics that its batch norms would have kept of these images."""
    torch.manual_seed(0)
    model = opened(Plain)
    probe = open_probe(str(folder))
    model.module.train()
    for norm in (model.module.norm, model.module.second):
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        model(probe.batch(range(probe.card.count), model.card.input))
    model.module.eval()
    return model


Found = Callable[[Callable[[nn.Module], None]], dict[str, Finding]]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """What is found after a change to a healthy net: rule → finding."""
    images = write_pictures(tmp_path / "images", 40, classes=3)
    libraries = (tmp_path / f"library-{number}" for number in count())

    def after(change: Callable[[nn.Module], None]) -> dict[str, Finding]:
        model = healthy(images)
        with torch.no_grad():
            change(model.module)
        return {each.rule: each for each in find(atlas_of(model, open_probe(str(images)), next(libraries)))}

    return after


def high(found: dict[str, Finding]) -> set[str]:
    return {rule for rule, finding in found.items() if finding.severity == "high"}


def test_nothing_is_changed_and_nothing_is_high_but_the_random_layer(found: Found) -> None:
    """The middle layer is random, as it began; all else is sound."""
    healthy = found(lambda net: None)
    assert high(healthy) == {"untrained"}
    assert healthy["untrained"].layer == "middle"
    assert {"stem", "input", "nonfinite", "duplicates"}.isdisjoint(healthy)


def test_weights_that_are_no_numbers(found: Found) -> None:
    def change(net: nn.Module) -> None:
        net.middle.weight[3, 0, 0, 0] = torch.nan

    finding = found(change)["nonfinite"]
    assert (finding.severity, finding.layer) == ("high", "middle")
    assert finding.units[0].endswith("middle:3")


def test_statistics_of_one_norm_that_were_reset(found: Found) -> None:
    def change(net: nn.Module) -> None:
        net.second.running_mean += 5 * net.second.running_var.sqrt()

    finding = found(change)["input"]
    assert (finding.severity, finding.layer) == ("high", "middle")
    assert "stale" in finding.title


def test_copied_filters_but_not_a_filter_and_its_negative(found: Found) -> None:
    def copy(net: nn.Module) -> None:
        for tensor in (net.middle.weight, net.second.running_mean, net.second.running_var):
            tensor[20] = tensor[4]

    finding = found(copy)["duplicates"]
    assert [unit.rsplit(":")[-1] for unit in finding.units] == ["4", "20"]

    def negate(net: nn.Module) -> None:
        net.middle.weight[20] = -net.middle.weight[4]

    assert "duplicates" not in found(negate)


def test_a_stem_of_noise(found: Found) -> None:
    def change(net: nn.Module) -> None:
        net.stem.weight.normal_(generator=torch.Generator().manual_seed(0))

    assert found(change)["stem"].layer == "stem"


def test_half_precision_overflows(found: Found) -> None:
    def change(net: nn.Module) -> None:
        net.stem.weight.mul_(1e6)

    finding = found(change)["headroom"]
    assert (finding.severity, finding.layer) == ("medium", "stem")


def test_channels_that_move_together_and_sleep(found: Found) -> None:
    def change(net: nn.Module) -> None:
        net.middle.weight[1:] = net.middle.weight[:1] + 1e-4 * net.middle.weight[1:]
        net.norm.weight[:4] = 1e-6
        net.norm.bias[:4] = 1

    made = found(change)
    assert made["narrow"].layer == "middle"
    assert made["unused"].evidence["constant"] == 4


def test_without_batch_norm_the_input_can_not_be_judged(tmp_path: Path) -> None:
    """Never “healthy”: not applicable."""
    images = write_pictures(tmp_path / "images", 8, classes=0)
    atlas = atlas_of(opened(InPlace), open_probe(str(images)), tmp_path / "library")
    reasons = {each.rule: each.needs for each in missing(atlas)}
    assert "not applicable" in reasons["input"]
    assert "labels" in reasons["shortcut"]


def test_random_weights_pass_every_test_and_trained_ones_do_not() -> None:
    """A hundred random layers, Gaussian and uniform, 3 × 3 and 1 × 1; then one direction is learned."""
    random = np.random.default_rng(0)
    follow = Follow.nothing(32)
    for number in range(100):
        size = (3, 3) if number % 2 else (1, 1)
        weights = random.normal(size=(32, 64, *size)) if number % 4 < 2 else random.uniform(-1, 1, (32, 64, *size))
        filters = Filters(weights, np.zeros(32), 1)
        checks = checks_of(layer_of("conv", 32), weights_table(filters, follow), weights_facts(filters))
        assert len(checks) == 3 + (number % 2)
        assert sum(not check.random for check in checks) <= 1, checks
        learned = weights + 0.6 * weights.std() * random.normal(size=(32, 1, 1, 1)) * random.normal(size=(1, 64, 1, 1))
        filters = Filters(learned, np.zeros(32), 1)
        assert weights_facts(filters)["edge_ratio"] > EDGE


def test_the_null_of_smoothness_is_what_random_kernels_show() -> None:
    random = np.random.default_rng(1)
    shape = [16, 3, 5, 5]
    seen = np.array([smoothness(random.normal(size=shape)) for _ in range(400)])
    assert seen.mean() == pytest.approx(random_smoothness(shape, 0), abs=0.002)
    assert (seen > random_smoothness(shape, 3)).mean() < 0.01
    assert (seen > random_smoothness(shape, 1)).mean() == pytest.approx(0.16, abs=0.08)
