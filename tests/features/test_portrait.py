"""One unit looked at closely: faces, opposites, neurons, mixtures, and where a picture acts."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features import objectives
from analysis.features.parameters import Parameters, PortraitParameters
from analysis.features.portrait import attribution, portrait
from analysis.features.render import render
from analysis.features.target import target_of
from analysis.models.capture import run_to
from tests.features.nets import gabor, model_of, plain_prior, small_net, spec_of


def drawn(model, channel=0, layer="2", **settings):
    settings = {"steps": 24, **settings}
    return portrait(model, layer, channel, plain_prior(model), PortraitParameters(**settings))


def test_the_first_face_alone_is_the_picture_of_the_atlas():
    model = model_of(small_net())
    for settings in ({}, {"attempts": 3}, {"negative": True}):
        plain = render(model, "2", [3], plain_prior(model), Parameters(steps=12, batch=1, **settings))
        assert torch.equal(drawn(model, 3, steps=12, **settings).pictures, plain.pictures)


def test_a_negative_picture_is_what_the_channel_is_most_against():
    model = model_of(small_net())
    assert drawn(model, 1, negative=True).activation < drawn(model, 1, steps=1).activation


def test_a_neuron_an_energy_and_a_mixture_each_gain_what_they_ask_for():
    model = model_of(small_net())
    mixture = torch.zeros(10)
    mixture[1], mixture[2] = 1, -1
    asked = {
        objectives.neuron(1): {"goal": "neuron"},
        objectives.energy(): {"goal": "energy"},
        objectives.direction(mixture): {"mix": {2: -1}},
    }
    for objective, settings in asked.items():
        before, after = (drawn(model, 1, steps=steps, **settings).pictures for steps in (1, 24))
        assert objective(run_to(model, after, "2")[0]) > objective(run_to(model, before, "2")[0])


@pytest.mark.parametrize("channel", [0, 3])
def test_the_faces_of_a_channel_differ_far_more_than_its_seeds(channel):
    model = model_of(small_net())

    def alike(diversity: float) -> tuple[float, float]:
        """The mean cosine of two faces' Gram matrices, and how far they excite the channel."""
        made = drawn(model, channel, steps=30, faces=4, diversity=diversity)
        maps = run_to(model, made.pictures, "2").flatten(2)
        gram = functional.normalize((maps @ maps.transpose(1, 2)).flatten(1), dim=1)
        cosines = gram @ gram.T
        return float((cosines.sum() - cosines.trace()) / 12), float(made.activation.mean())

    (seeds, driven), (usual, _), (most, still_driven) = (alike(diversity) for diversity in (0.0, 1.0, 2.0))
    assert seeds - usual > 0.15
    assert seeds - most > 0.35
    assert still_driven > 0.5 * driven


def test_a_channel_that_there_is_not_says_so():
    model = model_of(small_net())
    with pytest.raises(StrataError, match="channels 0 to 9, not 10"):
        drawn(model, 10)
    with pytest.raises(StrataError, match="channels 0 to 9, not 12"):
        drawn(model, 0, mix={12: 1.0})


def test_attribution_is_where_the_channel_looks():
    conv = nn.Conv2d(3, 1, 5, padding=2, bias=False)
    model = model_of(nn.Sequential(conv), spec_of())
    picture = torch.full((1, 3, 48, 48), 0.5)
    picture[..., 30:40, 6:16] = torch.rand(3, 10, 10, generator=torch.Generator().manual_seed(0))
    conv.weight.data = gabor(0, size=5)[None]
    alpha = attribution(target_of(model, "0", Parameters(size=48)), [0], picture)
    assert alpha.shape == (1, 1, 48, 48)
    assert alpha.max() == 1
    inside, outside = alpha[..., 30:40, 6:16].mean(), alpha[..., 5:20, 25:45].mean()
    assert inside > 2 * outside
