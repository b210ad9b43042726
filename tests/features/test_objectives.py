"""Objectives are functions of a layer's map; sums and signs compose."""

import torch

from analysis.features import objectives
from analysis.features.baseline import Baseline
from analysis.features.goals import MARGIN, ChannelGoal

MAPS = torch.arange(2 * 3 * 5, dtype=torch.float32).view(2, 3, 5) - 12


def test_each_reads_what_it_says():
    assert objectives.neuron(1)(MAPS) == MAPS[1, 1, 2]
    assert objectives.direction(torch.tensor([0.0, 1.0]), middle=True)(MAPS) == MAPS[1, 1, 2]
    assert torch.isclose(
        objectives.direction(torch.tensor([3.0, 4.0]))(MAPS), (MAPS[0].mean() * 3 + MAPS[1].mean() * 4) / 5
    )
    assert objectives.energy()(MAPS) == MAPS.relu().square().mean()


def test_sums_and_signs():
    total = objectives.weighted([(2, objectives.energy()), (-1, objectives.neuron(1))])
    assert torch.isclose(total(MAPS), 2 * MAPS.relu().square().mean() - MAPS[1, 1, 2])


def test_a_channel_that_another_outshines_is_held_back():
    baseline = Baseline(torch.zeros(3), torch.tensor([1.0, 2.0, 1.0]), *[torch.ones(3)] * 4)
    maps = torch.tensor([1.0, 6.0, 0.5]).view(1, 3, 1, 1)
    goal = ChannelGoal(torch.tensor([0, 1]), baseline=baseline, distinct=1.0)
    # channel 0 stands at 1 deviation, channel 1 at 3: it leads by more than the margin
    assert torch.isclose(goal.scores(maps, [0])[0], torch.tensor(1 - (3 - 1 + MARGIN)))
    assert torch.isclose(goal.scores(maps, [1])[0], torch.tensor(3.0))
