"""What the loop promises: one picture whoever shares the batch, a word where there is none, a stop when asked."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features.baseline import baselines
from analysis.features.parameters import Parameters
from analysis.features.render import render
from analysis.technique import Cancelled
from tests.features.nets import OneSize, model_of, plain_prior, small_net, spec_of

QUICK = Parameters(steps=8, batch=4)


@pytest.fixture(scope="module")
def model():
    return model_of(small_net())


@pytest.fixture(scope="module")
def prior(model):
    return plain_prior(model)


def test_a_picture_excites_its_channel_far_more_than_its_start(model, prior):
    start = render(model, "2", range(10), prior, Parameters(steps=1, batch=4))
    end = render(model, "2", range(10), prior, Parameters(steps=48, batch=4))
    assert (end.activation > start.activation).all()
    assert set(end.state) == {"driven"}
    assert end.pictures.min() >= 0
    assert end.pictures.max() <= 1
    assert (end.highest >= end.activation).all()


def test_negative_pictures_do_the_opposite(model, prior):
    against = render(model, "2", range(10), prior, Parameters(steps=32, batch=4, negative=True))
    toward = render(model, "2", range(10), prior, Parameters(steps=32, batch=4))
    assert (against.activation < toward.activation).all()


def test_the_same_seed_gives_the_same_picture_bit_for_bit(model, prior):
    first, second = (render(model, "2", [3, 4], prior, QUICK) for _ in range(2))
    assert torch.equal(first.pictures, second.pictures)
    assert not torch.equal(
        first.pictures, render(model, "2", [3, 4], prior, QUICK.model_copy(update={"seed": 1})).pictures
    )


@pytest.mark.parametrize("others", [[7], [7, 0, 1], [2, 7, 5, 8, 9], [9, 8, 6, 5, 4, 3, 2, 1, 0, 7]])
def test_a_picture_does_not_depend_on_who_shares_the_batch(model, prior, others):
    images = torch.rand(16, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    baseline = baselines(model, images)["2"]
    # steps enough that rows converge at different times and are refilled
    parameters = Parameters(steps=40, batch=4, patience=8)
    alone = render(model, "2", [7], prior, parameters, baseline=baseline)
    among = render(model, "2", others, prior, parameters, baseline=baseline)
    place = others.index(7)
    assert torch.equal(among.pictures[place], alone.pictures[0])
    assert among.steps[place] == alone.steps[0]
    assert among.activation[place] == alone.activation[0]


def test_a_channel_stops_when_it_gains_no_more(model, prior):
    made = render(model, "2", range(10), prior, Parameters(steps=400, patience=12))
    assert (made.steps < 400).all()


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 24, 24), (3, 31, 40), (4, 40, 25), (12, 32, 32)])
def test_any_number_of_channels_and_any_shape(channels, height, width):
    model = model_of(small_net(channels), spec_of(channels, height, width))
    made = render(model, "2", [0, 9], plain_prior(model), QUICK)
    assert made.pictures.shape == (2, channels, height, width)
    assert made.pictures.isfinite().all()


def test_a_channel_that_nothing_moves_says_so():
    module = small_net()
    module[2].weight.data[4] = 0
    model = model_of(module)
    made = render(model, "2", [4, 5], plain_prior(model), QUICK)
    assert made.state == ("still", "driven")


@pytest.mark.parametrize("dead", ["weights", "inputs"])
def test_what_nothing_moves_is_not_climbed_for_long(dead):
    module = small_net()
    if dead == "weights":
        module[2].weight.data[4] = 0
    else:  # for its first steps it gets a gradient through the shut ReLU
        module[0].bias.data[0] = -100
        module[2].weight.data[4, 1:] = 0
    model = model_of(module)
    baseline = baselines(model, torch.rand(16, 3, 48, 48, generator=torch.Generator().manual_seed(0)))["2"]
    for settings in (QUICK, Parameters(steps=64, patience=64)):
        alone, beside = (
            render(model, "2", wanted, plain_prior(model), settings, baseline=baseline) for wanted in ([4], [3, 4, 5])
        )
        assert alone.steps[0] == beside.steps[1] <= min(settings.steps, 48)
        assert beside.state == ("driven", "still" if dead == "weights" else "driven", "driven")


def test_broken_weights_are_a_state_of_their_layer():
    module = small_net()
    module[2].weight.data[4] = torch.nan
    model = model_of(module)
    images = torch.rand(16, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    for baseline in (None, baselines(model, images)["2"]):
        made = render(model, "2", [4, 5], plain_prior(model), QUICK, baseline=baseline)
        assert made.state == ("not finite", "not finite")
        assert made.pictures.isfinite().all()
    assert render(model, "0", [0], plain_prior(model), QUICK).state == ("driven",)


class Shut(nn.Module):
    """Its first layer is wholly negative for every image of ordinary brightness: no gradient passes its ReLU."""

    def __init__(self, relu: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.first.weight.data.mul_(0.1)
        self.first.bias.data.fill_(-0.5)
        self.second = nn.Conv2d(4, 2, 3, padding=1)
        self.relu = {"module": nn.ReLU(inplace=True), "function": functional.relu, "six": nn.ReLU6()}[relu]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.second(self.relu(self.first(images)))


@pytest.mark.parametrize("relu", ["module", "function", "six"])
def test_pictures_start_behind_shut_relus(relu):
    model = model_of(Shut(relu))
    grey = torch.full((1, 3, 48, 48), 0.5)
    assert model.module.first(model.card.input.prepare(grey)).max() < 0
    made = render(model, "second", [0, 1], plain_prior(model), Parameters(steps=16, batch=2))
    assert made.state == ("driven", "driven")


def test_a_stop_is_heard_between_steps(model, prior):
    heard = []

    def report(fraction: float) -> None:
        heard.append(fraction)
        if len(heard) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        render(model, "2", range(10), prior, QUICK, report=report)
    assert len(heard) == 3


def test_progress_only_grows_and_ends_at_one(model, prior):
    heard = []
    render(model, "2", range(10), prior, Parameters(steps=30, batch=4, patience=6), report=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_an_unknown_layer_is_named(model, prior):
    with pytest.raises(StrataError, match="no layer “nowhere”"):
        render(model, "nowhere", [0], prior, QUICK)


def test_a_canvas_is_as_large_as_what_the_layer_sees():
    model = model_of(small_net(), spec_of(height=200, width=200))
    assert render(model, "0", [0], plain_prior(model), QUICK).pictures.shape[-2:] == (48, 48)
    assert render(model, "0", [0], plain_prior(model), Parameters(steps=2, size=72)).pictures.shape[-2:] == (72, 72)


def test_a_net_of_one_size_gets_that_size():
    model = model_of(OneSize(small_net(), 80, 64), spec_of(height=80, width=64))
    assert render(model, "net.0", [0], plain_prior(model), QUICK).pictures.shape[-2:] == (80, 64)


def test_a_head_of_one_size_behind_the_layer_does_not_matter():
    head = nn.Sequential(small_net(), nn.Flatten(), nn.Linear(10 * 100 * 100, 2))
    model = model_of(head, spec_of(height=200, width=200))
    assert render(model, "0.0", [0], plain_prior(model), QUICK).pictures.shape[-2:] == (48, 48)
