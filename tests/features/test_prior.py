"""The prior says what images are like: their colours, how strong each frequency is."""

import pytest
import torch

from analysis.errors import StrataError
from analysis.features.prior import Prior, prior_of, prior_without_images


def images_of(channels=3, height=32, width=32, count=64):
    """Smooth random images, with colour axes of known spread around a known mean."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, channels, height, width, generator=generator)
    fy, fx = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    falloff = 1 / (0.05 + (fy**2 + fx**2).sqrt())
    smooth = torch.fft.irfft2(torch.fft.rfft2(noise) * falloff, s=(height, width))
    return smooth / smooth.std(), falloff


def test_colors_and_mean_are_those_of_the_images():
    smooth, _ = images_of()
    mix = torch.tensor([[0.10, 0.03, 0.0], [0.10, -0.01, 0.02], [0.09, -0.02, -0.02]])
    images = torch.einsum("dc,nchw->ndhw", mix, smooth) + torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)
    prior = prior_of(images)
    flat = (images - images.mean((0, 2, 3), keepdim=True)).transpose(0, 1).flatten(1)
    assert torch.allclose(prior.colors @ prior.colors.T, flat @ flat.T / flat.shape[1], atol=1e-4)
    assert torch.allclose(prior.mean, images.mean((0, 2, 3)), atol=1e-5)


def test_the_spectrum_falls_as_that_of_the_images():
    smooth, falloff = images_of(channels=1, count=256)
    spectrum = prior_of(0.5 + 0.1 * smooth).spectrum[0]
    inner = (slice(1, 12), slice(1, 12))
    ratio = spectrum[inner] / falloff[inner]
    assert ratio.std() / ratio.mean() < 0.1


def test_a_jump_between_opposite_edges_is_no_frequency_of_the_images():
    """Photos are not periodic; without the cure a ramp would fill the whole first row and column."""
    ramp = torch.linspace(0, 1, 32).view(1, 1, 1, 32).expand(16, 1, 32, 32)
    noise = torch.rand(16, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.01
    spectrum = prior_of(ramp + noise).spectrum[0]
    raw = torch.fft.rfft2((ramp + noise - 0.5) / ramp.std(), norm="ortho").abs().mean(0)[0]
    assert spectrum[0, 8] < 0.2 * raw[0, 8]


def test_another_size_keeps_the_strength_at_equal_frequencies():
    prior = prior_without_images(3, 64, 64)
    other = prior.at(96, 80)
    assert other.shape == (3, 96, 41)
    # 0.25 cycles a pixel down, 0.125 across
    assert other[0, 24, 10] == pytest.approx(float(prior.spectrum[0, 16, 8]), rel=0.02)
    assert torch.equal(prior.at(64, 64), prior.spectrum)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 12])
def test_any_number_of_channels_with_and_without_images(channels):
    smooth, _ = images_of(channels, 20, 27, 16)
    for prior in (prior_of(smooth * 0.1 + 0.5), prior_without_images(channels, 20, 27)):
        assert prior.spectrum.shape == (channels, 20, 14)
        assert prior.colors.shape == (channels, channels)
        assert prior.at(33, 18).isfinite().all()


def test_grey_images_in_three_channels_have_a_prior():
    smooth, _ = images_of(channels=1)
    prior = prior_of((0.5 + 0.1 * smooth).expand(-1, 3, -1, -1))
    assert prior.spectrum.isfinite().all()
    assert prior.colors.isfinite().all()


def test_too_few_images_are_refused():
    with pytest.raises(StrataError, match="15 images are too few"):
        prior_of(torch.rand(15, 3, 8, 8))


def test_it_survives_the_disk():
    smooth, _ = images_of(count=16)
    prior = prior_of(smooth)
    again = Prior.from_arrays(prior.to_arrays())
    assert again.size == prior.size
    assert all(torch.equal(getattr(again, name), getattr(prior, name)) for name in ("spectrum", "colors", "mean"))
