"""The wobble shows the picture elsewhere, and its shortcut derivative points where the true one does."""

import pytest
import torch
from torch.nn import functional

from analysis.features.canvas import Canvas
from analysis.features.prior import prior_without_images
from analysis.features.transforms import Wobble, _grid, affine, draw


def matrices(count=4):
    return draw(Wobble(), [torch.Generator().manual_seed(seed) for seed in range(count)], torch.ones(count))


def test_the_grid_is_torchs():
    assert torch.allclose(
        _grid(matrices(), 9, 14), functional.affine_grid(matrices(), [4, 1, 9, 14], align_corners=False), atol=1e-6
    )


def test_each_generator_draws_its_own():
    assert torch.equal(matrices(4)[:2], matrices(2))
    assert not torch.equal(matrices(2)[0], matrices(2)[1])


def test_a_picture_at_rest_is_seen_as_it_is():
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    still = draw(Wobble(), generators, torch.tensor([0.0, 0.5, 0.0]))
    picture = torch.rand(3, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    seen = affine(picture, still)
    assert torch.allclose(seen[[0, 2]], picture[[0, 2]], atol=1e-5)
    assert not torch.allclose(seen[1], picture[1], atol=1e-2)


def test_a_turn_keeps_shapes_in_wide_pictures():
    """A quarter turn in pixels: a horizontal bar becomes a vertical one of the same length."""
    picture = torch.zeros(1, 1, 41, 81)
    picture[..., 20, 35:46] = 1
    turned = affine(picture, torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]]))
    assert turned[0, 0, 15:26, 40].min() > 0.9
    assert turned.sum() == pytest.approx(11, abs=0.2)


@pytest.mark.parametrize("shape", [(48, 48), (30, 45)])
def test_the_sampled_derivative_follows_the_scattered_one(shape):
    field = torch.randn(4, 3, *shape, generator=torch.Generator().manual_seed(0))
    smooth = functional.avg_pool2d(field, 5, 1, 2)
    picture = torch.rand(4, 3, *shape, generator=torch.Generator().manual_seed(1)).requires_grad_()
    (mine,) = torch.autograd.grad((affine(picture, matrices()) * smooth).sum(), picture)
    ratio = torch.tensor([shape[0] / shape[1], shape[1] / shape[0]])
    turned = matrices().clone()
    turned[:, 0, 1] *= ratio[0]
    turned[:, 1, 0] *= ratio[1]
    grid = functional.affine_grid(turned, [4, 3, *shape], align_corners=False)
    seen = functional.grid_sample(picture, grid, padding_mode="reflection", align_corners=False)
    (exact,) = torch.autograd.grad((seen * smooth).sum(), picture)
    inner = (..., slice(6, -6), slice(6, -6))
    assert torch.corrcoef(torch.stack([mine[inner].flatten(), exact[inner].flatten()]))[0, 1] > 0.97


@pytest.mark.parametrize("freedom", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("size", [0.5, 1.0, 3.0])
def test_the_derivative_of_the_canvas_is_that_of_its_formula(freedom, size):
    canvas = Canvas(prior_without_images(3, 10, 13), 12, 11, freedom=freedom)
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    waves = canvas.start(generators) * size
    waves *= torch.rand(waves.shape[:-1], generator=generators[0])[..., None] + 0.5
    weights = torch.randn(2, 3, 12, 11, generator=generators[1])

    def formula(u: torch.Tensor) -> torch.Tensor:
        square = u.square().sum(-1)
        energy = (canvas.share * square**freedom).sum((1, 2, 3), keepdim=True).clamp_min(1)
        field = torch.view_as_complex(u) * canvas.spectrum * (square ** (freedom - 1) / energy).sqrt()
        image = torch.fft.irfft2(field, s=(12, 11), norm="ortho")
        return torch.sigmoid(4 * (torch.einsum("dc,nchw->ndhw", canvas.colors, image) + canvas.mean - 0.5))

    results = []
    for picture in (canvas.picture, formula):
        leaf = waves.clone().requires_grad_()
        made = picture(leaf)
        results.append((made.detach(), torch.autograd.grad((made * weights).sum(), leaf)[0]))
    assert torch.allclose(results[0][0], results[1][0], atol=1e-5)
    assert torch.allclose(results[0][1], results[1][1], atol=1e-5, rtol=1e-3)
