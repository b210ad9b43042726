"""A caricature answers like its image, and is made of the layer's answer alone."""

import pytest
import torch
from torch import nn

from analysis.looking.caricature import caricature, likeness
from analysis.statistics.following import follows_of
from analysis.technique import Cancelled
from tests.features.nets import OneSize, model_of, plain_prior, small_net, spec_of
from tests.looking.nets import finder, spot


def drawn(model, layer, image, **given):
    return caricature(model, layer, image, plain_prior(model), follows_of(model)[layer], **given)


@pytest.mark.parametrize("layer", ["0", "2"])
def test_it_answers_more_like_the_image_than_the_untouched_canvas(layer):
    image = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(3))
    made = drawn(model_of(small_net(), spec_of()), layer, image, steps=20)
    assert made.cosine > made.untouched + 0.1
    assert made.picture.shape == (3, 48, 48)
    assert made.picture.min() >= 0
    assert made.picture.max() <= 1


def test_what_the_layer_sees_is_where_it_was():
    """Only brightness comes through channel 0: the caricature is brightest where the spot was."""
    picture = drawn(finder(), "2", spot(14, 46, radius=6), steps=30).picture.mean(0)
    spots = {(y, x): float(picture[y - 6 : y + 7, x - 6 : x + 7].mean()) for y in (14, 34) for x in (18, 46)}
    assert max(spots, key=lambda place: spots[place]) == (14, 46)


def test_it_is_the_same_each_time():
    model, image = model_of(small_net(), spec_of()), torch.rand(1, 3, 48, 48)
    assert torch.equal(drawn(model, "2", image, steps=4).picture, drawn(model, "2", image, steps=4).picture)


@pytest.mark.parametrize("channels", [1, 4])
def test_any_number_of_channels_and_a_net_of_one_size(channels):
    model = model_of(OneSize(small_net(channels)), spec_of(channels))
    assert drawn(model, "net.2", torch.rand(1, channels, 48, 48), steps=2).picture.shape == (channels, 48, 48)


def test_an_image_that_nothing_comes_through_of_does_not_break_it():
    conv = nn.Conv2d(3, 4, 3)
    nn.init.constant_(conv.bias, -100.0)
    made = drawn(model_of(nn.Sequential(conv, nn.ReLU()), spec_of()), "0", torch.rand(1, 3, 48, 48), steps=3)
    assert made.cosine == 0
    assert bool(made.picture.isfinite().all())


def test_likeness_of_the_image_itself_is_one():
    maps = torch.rand(1, 3, 4, 4)
    assert float(likeness(maps, maps)) == pytest.approx(1)
    assert float(likeness(2 * maps, maps)) == pytest.approx(2)
    assert float(likeness(-maps, maps)) == pytest.approx(-0.1)


def test_it_can_be_stopped():
    def stop(share):
        raise Cancelled

    with pytest.raises(Cancelled):
        drawn(model_of(small_net(), spec_of()), "2", torch.rand(1, 3, 48, 48), report=stop)
