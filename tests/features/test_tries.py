"""A picture that falls short is tried again, and what is kept is the better one."""

import torch
from torch import nn

from analysis.features.baseline import Baseline, baselines
from analysis.features.parameters import Parameters, PortraitParameters
from analysis.features.portrait import portrait
from analysis.features.render import lead_of, merit, render
from analysis.models.model import Model
from tests.features.nets import model_of, plain_prior, spec_of


def near_twins() -> tuple[Model, Baseline]:
    """Plain colours, each with a near twin: what tells two apart is small."""
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 6, 3, padding=1)
    conv.weight.data[3:] = conv.weight.data[:3] + 0.02 * torch.randn(3, 3, 3, 3)
    # images of much contrast, whose best a 20 step picture does not reach
    images = (torch.rand(40, 3, 6, 6) * 4 - 1.5).clamp(0, 1)
    model = model_of(nn.Sequential(nn.AvgPool2d(2), conv), spec_of())
    found = baselines(model, nn.functional.interpolate(images, size=(48, 48), mode="nearest"))
    return model, found["1"]


def test_further_tries_only_better_a_picture():
    model, baseline = near_twins()
    once, again = (
        render(model, "1", range(6), plain_prior(model), Parameters(steps=20, retries=retries), baseline=baseline)
        for retries in (0, 2)
    )
    before, after = (merit(made, baseline, 1.0) for made in (once, again))
    assert (before <= 0).any(), "the net is no test of it"
    assert (after >= before).all()
    assert (after > before).any()
    assert torch.equal(once.pictures[before > 0], again.pictures[before > 0])


def test_a_further_try_does_not_depend_on_who_else_needs_one():
    model, baseline = near_twins()
    settings = Parameters(steps=12)
    whole = render(model, "1", range(6), plain_prior(model), settings, baseline=baseline)
    for channel in (1, 4):
        alone = render(model, "1", [channel], plain_prior(model), settings, baseline=baseline)
        assert torch.equal(alone.pictures[0], whole.pictures[channel])


def test_one_face_alone_has_all_the_tries_of_the_atlas():
    model, baseline = near_twins()
    steps = []
    for channel in range(6):
        wanted = render(model, "1", [channel], plain_prior(model), Parameters(steps=12, batch=1), baseline=baseline)
        face = portrait(model, "1", channel, plain_prior(model), PortraitParameters(steps=12), baseline=baseline)
        assert torch.equal(face.pictures, wanted.pictures)
        steps += wanted.steps.tolist()
    assert max(steps) > 12, "the net is no test of it"


def test_the_lead_is_over_the_strongest_other_channel():
    model, baseline = near_twins()
    made = render(model, "1", [2], plain_prior(model), Parameters(steps=5), baseline=baseline)
    standard = baseline.standard(made.values)[0]
    others = torch.cat([standard[:2], standard[3:]])
    assert torch.isclose(lead_of(made, baseline, 1.0)[0], standard[2] - others.max())
