"""Nets whose best picture is known: an edge has its orientation, a colour its hue, a centre-surround its scale."""

import colorsys
import math

import pytest
import torch

from analysis.features.parameters import Parameters
from analysis.features.render import render
from tests.features.nets import gabor, model_of, one_filter, plain_prior, surround


def picture_of(kernel: torch.Tensor) -> torch.Tensor:
    """[3, 48, 48]: the picture of a net of this one filter, after its default number of steps."""
    model = model_of(one_filter(kernel))
    return render(model, "0", [0], plain_prior(model), Parameters(batch=1)).pictures[0]


def power(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Power of the lightness at each frequency, and the frequency's (y, x) in cycles a pixel."""
    grey = picture.mean(0)
    window = torch.hann_window(len(grey), periodic=False)
    spectrum = torch.fft.rfft2((grey - grey.mean()) * window[:, None] * window[None, :]).abs() ** 2
    fy, fx = torch.meshgrid(torch.fft.fftfreq(len(grey)), torch.fft.rfftfreq(len(grey)), indexing="ij")
    return spectrum, fy, fx


@pytest.mark.parametrize("angle", [0, 30, 45, 80, 120, 165])
def test_an_oriented_filter_gives_its_orientation_within_five_degrees(angle):
    strength, fy, fx = power(picture_of(gabor(angle)))
    # the mean of doubled angles: an orientation and its opposite are the same
    doubled = 2 * torch.atan2(fy, fx)
    found = math.degrees(torch.atan2((strength * doubled.sin()).sum(), (strength * doubled.cos()).sum())) / 2
    assert abs((found - angle + 90) % 180 - 90) < 5


@pytest.mark.parametrize("color", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1)])
def test_a_color_filter_gives_its_hue(color):
    weights = torch.tensor(color, dtype=torch.float32)
    picture = picture_of((weights - weights.mean()).view(3, 1, 1))
    hue = colorsys.rgb_to_hsv(*picture.mean((1, 2)).tolist())[0]
    wanted = colorsys.rgb_to_hsv(*color)[0]
    assert abs((hue - wanted + 0.5) % 1 - 0.5) < 20 / 360


@pytest.mark.parametrize("scale", [1.2, 2.0, 3.0])
def test_a_centre_surround_filter_gives_its_scale(scale):
    kernel = surround(scale)
    strength, fy, fx = power(picture_of(kernel))
    response = torch.fft.rfft2(kernel[0], s=(48, 48)).abs()
    radius = (fy**2 + fx**2).sqrt()
    wanted = float((radius * response**2).sum() / (response**2).sum())
    found = float((radius * strength).sum() / strength.sum())
    assert wanted / 1.5 < found < wanted * 1.5
