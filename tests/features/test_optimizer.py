"""Rows climb as torch's NAdam does, each on its own count."""

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
