"""Classes are units like channels: each output that gives one number a class is a head."""

import pytest
import torch
from torch import nn

from analysis.errors import StrataError
from analysis.features.parameters import Parameters
from analysis.features.render import render
from analysis.models.heads import run_head
from tests.features.nets import Several, model_of, plain_prior, small_net

QUICK = Parameters(steps=24, batch=2)


def classifier(*end: nn.Module) -> nn.Module:
    return nn.Sequential(small_net(), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 4), *end)


def test_a_class_picture_raises_its_logit():
    model = model_of(classifier())
    assert model.card.heads == {"output": 4}
    prior = plain_prior(model)
    start = render(model, "output", range(4), prior, Parameters(steps=1, batch=2))
    made = render(model, "output", range(4), prior, QUICK)
    assert made.pictures.shape == (4, 3, 48, 48)
    assert (made.activation > start.activation).all()
    assert torch.allclose(made.activation, model(made.pictures).diagonal(), atol=1e-4)


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid()])
def test_a_softmax_at_the_end_is_looked_behind(end):
    model, plain = model_of(classifier(end)), model_of(classifier())
    images = torch.rand(3, 3, 48, 48)
    assert torch.allclose(run_head(model, images, "output")[..., 0, 0], plain(images), atol=1e-6)


def test_each_of_several_outputs_is_a_head_of_its_own():
    model = model_of(Several())
    assert model.card.heads == {"output.age": 5, "output.kind": 3}
    made = render(model, "output.kind", [2], plain_prior(model), QUICK)
    assert (
        made.activation > render(model, "output.kind", [2], plain_prior(model), Parameters(steps=1, batch=2)).activation
    )


def test_a_model_without_classes_has_no_heads():
    model = model_of(small_net())
    assert model.card.heads == {}
    with pytest.raises(StrataError, match="no layer “output”"):
        render(model, "output", [0], plain_prior(model), QUICK)
    with pytest.raises(StrataError, match="no output “output”"):
        run_head(model, torch.rand(1, 3, 48, 48), "output")
