"""What a canvas promises: inside [0, 1], never stronger than the prior allows, periodic, any channels and sizes."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.features.canvas import Canvas
from analysis.features.prior import prior_without_images


def spectrum_of(picture: torch.Tensor, canvas: Canvas) -> torch.Tensor:
    """Strength of each frequency behind a picture: sigmoid, mean and colours undone."""
    flat = picture.clamp(1e-6, 1 - 1e-6).double()
    flat = (torch.logit(flat) / 4 + 0.5 - canvas.mean.double()).flatten(2)
    image = (canvas.colors.double().inverse() @ flat).view_as(picture)
    return torch.fft.rfft2(image, norm="ortho").abs()


@settings(deadline=None, max_examples=25)
@given(
    channels=st.sampled_from([1, 2, 3, 4, 12]),
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    freedom=st.floats(0, 1),
    size=st.floats(1e-3, 1e3),
)
def test_pictures_of_any_shape_stay_in_range(channels, height, width, freedom, size):
    prior = prior_without_images(channels, 24, 31)
    canvas = Canvas(prior, height, width, freedom=freedom)
    waves = canvas.start([torch.Generator().manual_seed(seed) for seed in (0, 1)]) * size
    pictures = canvas.picture(waves)
    assert pictures.shape == (2, channels, height, width)
    assert pictures.isfinite().all()
    assert 0 <= pictures.min() <= pictures.max() <= 1


def test_without_freedom_every_frequency_has_the_strength_of_the_prior():
    canvas = Canvas(prior_without_images(3, 16, 15), 16, 15, freedom=0, contrast=0.1)
    waves = canvas.start([torch.Generator().manual_seed(0)])
    waves *= torch.rand(waves.shape[:-1])[..., None] + 0.1
    found = spectrum_of(canvas.picture(waves), canvas)[0]
    # columns that are their own mirror image hold less than they are given: a real image needs them symmetric
    inner = slice(1, 7)
    assert torch.allclose(found[..., inner], canvas.spectrum.double()[..., inner], rtol=1e-3)


@given(freedom=st.floats(0.05, 1), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_what_one_frequency_gains_others_lose(freedom, seed):
    canvas = Canvas(prior_without_images(1, 16, 16), 16, 16, freedom=freedom, contrast=0.2)
    generator = torch.Generator().manual_seed(seed)
    waves = canvas.start([generator]) * torch.rand((1, *canvas.shape[:-1], 1), generator=generator) * 50
    energy = spectrum_of(canvas.picture(waves), canvas)[0, :, :, 1:8].square().sum() * 2
    allowed = canvas.spectrum.double().square()
    assert energy <= (allowed[..., 1:8].sum() * 2 + allowed[..., 0].sum() + allowed[..., 8].sum()) * 1.001


def test_the_picture_is_periodic():
    canvas = Canvas(prior_without_images(3, 32, 32), 32, 32, freedom=0.5)
    picture = canvas.picture(canvas.start([torch.Generator().manual_seed(3)]))[0]
    across = (picture[..., 0] - picture[..., -1]).abs().mean()
    inside = (picture[..., 1:] - picture[..., :-1]).abs().mean()
    assert across < 1.5 * inside
