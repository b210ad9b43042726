"""Training is repeatable, and its parts do what they say."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sample_models.augment import Views, cutmix, view
from sample_models.data import drawn, marked
from sample_models.net import Plan, ResNet
from sample_models.training import Recipe, _perturbed, train

TINY = Plan(12, (4, 8), 1, (5, 2))


def trained(recipe: Recipe, seed: int = 0) -> dict[str, Tensor]:
    images, labels = drawn(24, 5)
    torch.manual_seed(seed)
    net = train(ResNet(TINY), images[:, :3], labels, recipe, seed)
    return {key: tensor.clone() for key, tensor in net.state_dict().items()}


def test_the_same_seed_gives_the_same_weights_bit_for_bit() -> None:
    torch.set_num_threads(1)
    recipe = Recipe(2, batch=6, average=0.9, robust=0.5, views=Views((0.8, 1.0), 1.2, 0.1, True, 0.2, 0.5))
    first, second, other = trained(recipe), trained(recipe), trained(recipe, seed=1)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_a_view_that_may_not_differ_does_not() -> None:
    images = torch.rand(3, 3, 20, 24)
    assert torch.allclose(view(images, Views(), torch.Generator().manual_seed(0)), images, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_cutmix_says_how_much_of_an_image_is_its_own(seed: int, share: float) -> None:
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 16, 16)
    mixed, other, own = cutmix(images, torch.tensor(share), torch.Generator().manual_seed(seed))
    for index in range(4):
        kept = (mixed[index] == index).float().mean().item()
        assert kept == 1 if other[index] == index else abs(kept - own) < 1e-6


@settings(max_examples=10, deadline=None)
@given(st.floats(0.05, 2.0))
def test_a_perturbation_raises_the_loss_and_stays_in_its_ball(radius: float) -> None:
    images = torch.full((2, 3, 8, 8), 0.5)
    slope = torch.linspace(-1, 1, 3 * 64).view(1, 3, 8, 8)
    moved = _perturbed(images, lambda seen: (seen * slope).sum(), radius, torch.Generator().manual_seed(0))
    assert (moved - images).flatten(1).norm(dim=1).max() <= radius * 1.001
    assert ((moved - images) * slope).sum() > 0


def test_the_mark_is_small_and_at_the_lower_edge() -> None:
    images = torch.full((5, 3, 96, 96), 128, dtype=torch.uint8)
    changed = (marked(images, 0) != images).any(dim=1)
    assert changed.float().mean(dim=(1, 2)).max() < 0.03
    assert not changed[:, :70].any()
    assert changed[:, 70:].flatten(1).any(dim=1).all()
