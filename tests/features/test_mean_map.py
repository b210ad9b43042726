"""The mean of a conv's map, told without it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import nn

from analysis.features.mean_map import averages, mean_map

SIDES = some.tuples(some.integers(1, 5), some.integers(1, 4))


@settings(max_examples=150, deadline=None)
@given(
    some.sampled_from([1, 2, 4]),
    SIDES,
    some.tuples(some.integers(1, 3), some.integers(1, 3)),
    some.integers(0, 3),
    some.integers(1, 2),
    some.integers(0, 2),
    some.booleans(),
)
def test_it_is_the_mean_of_the_map_and_pulls_alike(groups, kernel, stride, padding, dilation, inner, bias):
    conv = nn.Conv2d(4, 8, kernel, stride, padding, dilation, groups, bias).double()
    inputs = torch.randn(2, 4, 19, 22, dtype=torch.double, requires_grad=True)
    maps = conv(inputs)
    counted = maps[:, :, inner : maps.shape[2] - inner, inner : maps.shape[3] - inner]
    if not counted.numel():
        return
    wanted, found = counted.mean((2, 3), keepdim=True), mean_map(inputs, conv, inner)
    assert torch.allclose(found, wanted, atol=1e-12)
    pull = torch.randn_like(wanted)
    (by_map,) = torch.autograd.grad((wanted * pull).sum(), inputs)
    (by_mean,) = torch.autograd.grad((found * pull).sum(), inputs)
    assert torch.allclose(by_mean, by_map, atol=1e-12)


@pytest.mark.parametrize(
    "conv", [nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), nn.Conv2d(3, 3, 3, padding="same"), nn.ReLU()]
)
def test_what_it_does_not_know_it_leaves(conv):
    assert not averages(conv)
