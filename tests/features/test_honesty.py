"""What is said beside a picture: whether anything comes through, whether seeds agree, whether the model drew it."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis import encoding
from analysis.errors import StrataError
from analysis.features import objectives
from analysis.features.baseline import _answers, _of, baselines
from analysis.features.files import evidence
from analysis.features.parameters import Parameters, PortraitParameters
from analysis.features.portrait import portrait
from analysis.features.render import render
from analysis.features.renders import RendersTechnique
from analysis.features.target import target_of
from analysis.models.capture import run_to
from analysis.statistics.following import follows_of
from analysis.task import Task
from analysis.technique import Context
from tests.features.nets import Images, gabor, model_of, plain_prior, small_net


def with_dead_channels() -> nn.Module:
    """Channel 0 is shut by its bias, 1 by its norm; 2 opens on pictures though on no real image; 3 lives."""
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(3, 4, 5, padding=2), nn.BatchNorm2d(4)
    conv.weight.data = gabor(30, size=5).expand(4, 3, 5, 5).clone()
    conv.bias.data = torch.tensor([-100.0, 0.0, 0.0, 0.0])
    norm.bias.data = torch.tensor([0.0, -100.0, -0.2, 0.0])
    return nn.Sequential(conv, norm, nn.ReLU())


@pytest.mark.parametrize("with_images", [True, False])
def test_a_channel_that_nothing_opens_is_never_active(with_images):
    model = model_of(with_dead_channels())
    grey = torch.full((20, 3, 48, 48), 0.5) + 0.01 * torch.rand(20, 3, 48, 48)
    baseline = baselines(model, grey)["0"] if with_images else None
    made = render(model, "0", range(4), plain_prior(model), Parameters(steps=20, batch=4), baseline=baseline)
    table = evidence(made, Parameters(), baseline, follows_of(model)["0"])
    assert table["state"].tolist() == ["never active", "never active", "driven", "driven"]


def test_the_best_of_several_seeds_is_kept_and_their_spread_told():
    model = model_of(small_net())
    prior, one = plain_prior(model), {"steps": 6, "batch": 2}
    single = [render(model, "2", [1, 4], prior, Parameters(seed=seed, **one)) for seed in range(3)]
    made = render(model, "2", [1, 4], prior, Parameters(attempts=3, **one))
    reached = torch.stack([each.activation for each in single])
    assert torch.equal(made.activation, reached.amax(0))
    assert torch.equal(made.seeds, reached.argmax(0))
    assert torch.allclose(made.deviation, reached.std(0))
    assert single[0].deviation.isnan().all()
    for row, seed in enumerate(made.seeds.tolist()):
        assert torch.equal(made.pictures[row], single[seed].pictures[row])


def test_an_image_without_numbers_does_not_spoil_the_baseline():
    """Channels of which an image's map holds NaN or infinity are judged by the others; one of no others by none."""
    maps = torch.rand(7, 4, 3, 3) - 0.5
    maps[2] = torch.nan
    maps[4, 1, 0, 0] = torch.inf
    maps[:, 3, 1, 1] = torch.nan
    found = _of([_answers(part) for part in maps.split(3)])
    whole = _of([_answers(maps[[0, 1, 3, 4, 5, 6]])])
    fewer = _of([_answers(maps[[0, 1, 3, 5, 6]])])
    for name, part in vars(found).items():
        for channel, expected in ((0, whole), (1, fewer), (2, whole)):
            assert torch.allclose(part[channel], getattr(expected, name)[channel]), name
        assert part[3].isnan(), name


def drawn(model, **settings):
    """The rows and files of a render, as a worker makes them."""
    parameters = PortraitParameters(steps=24, twin=True, **settings)
    prior = {"prior.npz": encoding.to_npz(plain_prior(model).to_arrays())}
    task = Task("renders", 1, model.card.sha256, None, "0", (0, 1), parameters=parameters.model_dump(), needs=("p",))
    files = RendersTechnique().run(task, Context(lambda: model, lambda: None, {"p": prior}))
    return encoding.from_parquet(files["renders.parquet"]), files


def test_what_a_random_net_draws_as_well_is_the_priors():
    conv = nn.Conv2d(3, 1, 5, padding=2)
    conv.weight.data = 0.01 * torch.randn(1, 3, 5, 5) + 1  # it wants what is bright, and so does its twin
    table, files = drawn(model_of(nn.Sequential(conv)))
    assert table["state"].tolist() == ["prior, not model"]
    assert "twin.webp" in files


def test_what_only_the_trained_net_draws_is_the_models():
    conv = nn.Conv2d(3, 1, 15, padding=7)
    conv.weight.data = gabor(30)[None]
    table, _ = drawn(model_of(nn.Sequential(conv)), faces=2)
    assert table["state"].tolist() == ["driven", "driven"]
    assert (table["twin"] < 0.8).all()


@pytest.mark.parametrize("several", [{"faces": 2}, {"goal": "neuron"}, {"goal": "energy"}, {"mix": {1: 1.0}}])
@pytest.mark.parametrize("useless", [{"attempts": 2}, {"batch": 4}])
def test_what_would_do_nothing_is_refused(several, useless):
    with pytest.raises(StrataError, match=f"Leave {next(iter(useless))} out"):
        drawn(model_of(small_net()), **several, **useless)
    with pytest.raises(ValueError, match="sketch"):
        PortraitParameters(sketch=4)


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("asked", [{"goal": "neuron"}, {"goal": "energy"}, {"mix": {3: -2.0}}])
def test_beside_a_picture_stands_what_it_was_made_for(asked, negative):
    model, probe = model_of(small_net()), Images()
    images = probe.batch(range(20), model.card.input)
    prior = {"prior.npz": encoding.to_npz(plain_prior(model).to_arrays())}
    baseline = baselines(model, images)["2"]
    prior["baseline.npz"] = encoding.to_npz({"2": baseline.to_array()})
    parameters = PortraitParameters(steps=32, negative=negative, twin=True, **asked)
    settings = parameters.model_dump()
    task = Task("renders", 1, model.card.sha256, "f" * 32, "2", (1, 2), parameters=settings, needs=("p",))
    files = RendersTechnique().run(task, Context(lambda: model, lambda: probe, {"p": prior}))
    (row,) = encoding.from_parquet(files["renders.parquet"]).to_dict("records")
    goal = {"neuron": objectives.neuron(1), "energy": objectives.energy()}.get(parameters.goal)
    if goal is None:
        weights = torch.zeros(10)
        weights[[1, 3]] = torch.tensor([1.0, -2.0]) / baseline.scale()[[1, 3]]
        goal = objectives.direction(weights)
    real = np.array([float(goal(maps)) for maps in run_to(model, images, "2")])
    (face,) = portrait(model, "2", 1, plain_prior(model), parameters, baseline=baseline).pictures
    reached = float(goal(target_of(model, "2", parameters).maps(face[None])[0]))
    natural = real.min() if negative else real.max()
    assert row["activation"] == pytest.approx(reached, rel=1e-4)
    assert row["natural"] == pytest.approx(natural, rel=1e-4)
    assert row["ratio"] == pytest.approx((reached - real.mean()) / (natural - real.mean()), rel=1e-3)
    assert row["ratio"] > 0.5
    assert np.isnan(row["lead"])
    assert row["twin"] < 1
