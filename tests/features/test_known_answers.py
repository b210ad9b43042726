"""Nets whose best picture is known: an edge has its orientation, a colour its hue, a centre-surround its scale."""

import colorsys
import math

import pytest
import torch
from torch import nn

from analysis.features.baseline import baseline_at
from analysis.features.files import evidence
from analysis.features.parameters import Parameters
from analysis.features.render import render
from analysis.features.target import target_of
from analysis.models.normalisation import natural_images
from tests.features.nets import gabor, model_of, one_filter, plain_prior, surround


def picture_of(kernel: torch.Tensor) -> torch.Tensor:
    """[3, 48, 48]: the picture of a net of this one filter, after its default number of steps."""
    model = model_of(one_filter(kernel))
    return render(model, "0", [0], plain_prior(model), Parameters(batch=1)).pictures[0]


def pictures_among_images(kernels: list[torch.Tensor], negative: bool) -> torch.Tensor:
    """[K, 3, 48, 48]: the pictures of a stem of these filters, judged beside images as an atlas does."""
    conv = nn.Conv2d(3, len(kernels), kernels[0].shape[1:], bias=False)
    conv.weight.data = torch.stack(kernels)
    model, parameters = model_of(nn.Sequential(conv)), Parameters(batch=1, negative=negative)
    baseline = baseline_at(target_of(model, "0", parameters), natural_images(3, 48, 48, 32))
    made = render(model, "0", range(len(kernels)), plain_prior(model), parameters, baseline=baseline)
    table = evidence(made, parameters, baseline)
    assert (table["ratio"] > 3).all(), "real images answer far less"
    assert (table["lead"] > 0).all(), "another filter answers more"
    return made.pictures


def power(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Power of the lightness at each frequency, and the frequency's (y, x) in cycles a pixel."""
    grey = picture.mean(0)
    window = torch.hann_window(len(grey), periodic=False)
    spectrum = torch.fft.rfft2((grey - grey.mean()) * window[:, None] * window[None, :]).abs() ** 2
    fy, fx = torch.meshgrid(torch.fft.fftfreq(len(grey)), torch.fft.rfftfreq(len(grey)), indexing="ij")
    return spectrum, fy, fx


def orientation(picture: torch.Tensor) -> float:
    """Degrees, of the waves."""
    strength, fy, fx = power(picture)
    # the mean of doubled angles: an orientation and its opposite are the same
    doubled = 2 * torch.atan2(fy, fx)
    return math.degrees(torch.atan2((strength * doubled.sin()).sum(), (strength * doubled.cos()).sum())) / 2


def hue(color: torch.Tensor) -> float:
    """[3] → degrees."""
    return 360 * colorsys.rgb_to_hsv(*color.tolist())[0]


def apart(one: float, other: float, period: float) -> float:
    return abs((one - other + period / 2) % period - period / 2)


def colored(color: tuple[int, ...]) -> torch.Tensor:
    """A filter of one pixel, without mean."""
    weights = torch.tensor(color, dtype=torch.float32)
    return (weights - weights.mean()).view(3, 1, 1)


ANGLES = [0, 30, 45, 80, 120, 165]
COLORS = {(1, 0, 0): 20, (0, 1, 0): 8, (0, 0, 1): 18, (1, 1, 0): 18, (0, 1, 1): 20, (1, 0, 1): 8}
"""How near a picture comes to its hue, degrees: without images, its own colours draw it aside."""


@pytest.mark.parametrize("angle", ANGLES)
def test_an_oriented_filter_gives_its_orientation_within_five_degrees(angle):
    assert apart(orientation(picture_of(gabor(angle))), angle, 180) < 5


@pytest.mark.parametrize(("color", "within"), COLORS.items())
def test_a_color_filter_gives_its_hue(color, within):
    found = picture_of(colored(color)).mean((1, 2))
    assert apart(hue(found), hue(torch.tensor(color)), 360) < within


@pytest.mark.parametrize("scale", [1.2, 2.0, 3.0])
def test_a_centre_surround_filter_gives_its_scale(scale):
    strength, fy, fx = power(picture_of(surround(scale)))
    found = float(((fy**2 + fx**2).sqrt() * strength).sum() / strength.sum())
    # where the difference of the two Gaussians' spectra is greatest
    best = math.sqrt(math.log(1.6**2) / (2 * math.pi**2 * (1.6**2 - 1))) / scale
    assert best / 1.2 < found < best * 1.2


@pytest.mark.parametrize("negative", [False, True])
def test_among_images_filters_give_their_orientation_and_their_opposites_too(negative):
    for angle, picture in zip(ANGLES, pictures_among_images([gabor(angle) for angle in ANGLES], negative), strict=True):
        assert apart(orientation(picture), angle, 180) < 7, angle


@pytest.mark.parametrize("negative", [False, True])
def test_among_images_a_color_filter_gives_its_hue_and_the_opposite_one(negative):
    pictures = pictures_among_images([colored(color) for color in COLORS], negative)
    for color, picture in zip(COLORS, pictures, strict=True):
        wanted = torch.tensor(color)
        assert apart(hue(picture.mean((1, 2))), hue(1 - wanted if negative else wanted), 360) < 20, color
