"""Pictures of classes, of any objective, of several faces; where a picture acts."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features import objectives
from analysis.features.more import attribution, render_classes, render_faces, render_objectives
from analysis.features.parameters import Parameters
from analysis.features.size import view_of
from analysis.models.capture import run_to
from tests.features.nets import gabor, model_of, plain_prior, small_net, spec_of

QUICK = Parameters(steps=24, batch=2)


def classifier() -> nn.Module:
    net = small_net()
    return nn.Sequential(net, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 4))


def test_a_class_picture_raises_its_logit():
    model = model_of(classifier())
    prior = plain_prior(model)
    start = render_classes(model, range(4), prior, Parameters(steps=1, batch=2))
    made = render_classes(model, range(4), prior, QUICK)
    assert made.shape == (4, 3, 48, 48)
    assert (model(made).diagonal() > model(start).diagonal()).all()


def test_a_model_without_one_output_says_so():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = small_net()

        def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"maps": self.net(images)}

    model = model_of(Two())
    with pytest.raises(StrataError, match="one tensor of classes"):
        render_classes(model, [0], plain_prior(model), QUICK)


def test_any_objective_of_a_layer():
    model = model_of(small_net())
    direction = torch.randn(10, generator=torch.Generator().manual_seed(0))
    wanted = [
        objectives.neuron(3),
        objectives.direction(direction),
        objectives.energy(),
        objectives.weighted([(1, objectives.channel(1)), (-1, objectives.channel(2))]),
    ]
    prior = plain_prior(model)
    start = render_objectives(model, wanted, prior, Parameters(steps=1, batch=2), layer="2")
    made = render_objectives(model, wanted, prior, QUICK, layer="2")
    for objective, before, after in zip(wanted, run_to(model, start, "2"), run_to(model, made, "2"), strict=True):
        assert objective(after) > objective(before)


def test_the_faces_of_a_channel_differ_more_than_its_seeds():
    model = model_of(small_net())

    def likeness(diversity: float) -> float:
        made = render_faces(model, "2", 0, 4, plain_prior(model), Parameters(steps=30), diversity=diversity)
        maps = run_to(model, made, "2").flatten(2)
        gram = functional.normalize((maps @ maps.transpose(1, 2)).flatten(1), dim=1)
        return float((gram @ gram.T).mean())

    assert likeness(2.0) < likeness(0.0)


def test_attribution_is_where_the_channel_looks():
    conv = nn.Conv2d(3, 1, 5, padding=2, bias=False)
    model = model_of(nn.Sequential(conv), spec_of())
    picture = torch.full((1, 3, 48, 48), 0.5)
    picture[..., 30:40, 6:16] = torch.rand(3, 10, 10, generator=torch.Generator().manual_seed(0))
    conv.weight.data = gabor(0, size=5)[None]
    alpha = attribution(model, "0", [0], picture, view_of(model, "0", 48))
    assert alpha.shape == (1, 1, 48, 48)
    assert alpha.max() == 1
    inside, outside = alpha[..., 30:40, 6:16].mean(), alpha[..., 5:20, 25:45].mean()
    assert inside > 2 * outside
