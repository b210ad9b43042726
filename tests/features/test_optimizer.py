"""Rows climb as torch's NAdam does, each on its own count."""

from itertools import pairwise

import pytest
import torch

from analysis.features.optimizer import RowNAdam


def test_it_is_torchs_nadam():
    torch.manual_seed(0)
    mine = torch.randn(3, 5)
    theirs = mine.clone().requires_grad_()
    reference = torch.optim.NAdam([theirs], lr=0.1, eps=1e-12)
    optimizer = RowNAdam(mine, 0.1)
    for _ in range(20):
        gradient = torch.randn(3, 5)
        theirs.grad = -gradient
        reference.step()
        optimizer.step(mine, gradient)
    assert torch.allclose(mine, theirs, atol=1e-5)


def test_a_row_that_begins_anew_goes_as_a_new_one():
    torch.manual_seed(0)
    gradients = torch.randn(6, 2, 5)
    values = torch.zeros(2, 5)
    optimizer = RowNAdam(values, 0.1)
    for gradient in gradients[:3]:
        optimizer.step(values, gradient)
    optimizer.reset(1)
    values[1] = 0
    for gradient in gradients[3:]:
        optimizer.step(values, gradient)
    fresh = torch.zeros(2, 5)
    again = RowNAdam(fresh, 0.1)
    for gradient in gradients[3:]:
        again.step(fresh, gradient)
    assert torch.equal(values[1], fresh[1])


def test_a_rate_that_settles_falls_linearly_by_its_share():
    """Equal gradients: a step at half of the horizon is shorter than one that does not settle, by half its share."""
    gradient = torch.ones(1, 3)
    moves = []
    for settles in (0.0, 1.0, 0.6):
        values = torch.zeros(1, 3)
        optimizer = RowNAdam(values, 0.1, horizon=10, settles=settles)
        places = [values.clone()]
        for _ in range(11):
            optimizer.step(values, gradient)
            places.append(values.clone())
        moves.append([float((late - early)[0, 0]) for early, late in pairwise(places)])
    steady, falling, partly = moves
    assert falling[5] == pytest.approx(0.5 * steady[5], rel=1e-4)
    assert falling[10] == pytest.approx(0.0, abs=1e-7)
    assert partly[10] == pytest.approx(0.4 * steady[10], rel=1e-4)
