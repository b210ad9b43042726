"""What follows a conv is found from the operators that run."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from analysis.statistics.following import follows_of
from tests.statistics.nets import InPlace, Mixed, Residual, opened


def test_in_place_and_functional_activations() -> None:
    follows = follows_of(opened(InPlace))
    assert {name: follow.activation for name, follow in follows.items()} == dict.fromkeys(follows, "relu")
    assert not any(follow.norm for follow in follows.values())


def test_batch_normalisation_becomes_scale_and_shift() -> None:
    model = opened(Residual)
    follows = follows_of(model)
    x = torch.randn(2, 8, 5, 5)
    for layer, norm in (("stem", "norm"), ("deep", "deep_norm")):
        follow = follows[layer]
        by_hand = x.numpy() * follow.scale[:, None, None] + follow.shift[:, None, None]
        np.testing.assert_allclose(by_hand, model.module.get_submodule(norm)(x).numpy(), rtol=1e-4, atol=1e-5)
    assert follows["stem"].activation == "relu"
    assert not follows["stem"].joined
    assert follows["deep"].joined
    assert follows["deep"].activation == "relu"
    np.testing.assert_allclose(follows["stem"].norm["mean"], model.module.norm.running_mean)


def test_an_added_constant_is_a_shift() -> None:
    follow = follows_of(opened(Mixed))["up"]
    np.testing.assert_allclose(follow.shift, [-1, 0, 1])
    assert follow.activation == "relu"
    assert follows_of(opened(Mixed))["first"].activation == "silu"


class Written(nn.Module):
    """SiLU written out, as exporters do; and a conv whose output only an average sees."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.last = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x * torch.sigmoid(x)
        return functional.relu(self.last(x).mean((2, 3)))


def test_silu_written_out_and_no_activation_behind_an_average() -> None:
    follows = follows_of(opened(Written))
    assert follows["first"].activation == "silu"
    assert follows["last"].activation is None
