"""A dream changes an image where the net sees something, keeps its size and its sharpness, and has no seams."""

import pytest
import torch
from torch import nn

from analysis.dream.dream import dream, five_layers, octave_sizes
from analysis.dream.parameters import DreamParameters
from analysis.dream.tiles import blended_gradient, cut, mirrored
from analysis.errors import StrataError
from analysis.models.capture import run_to
from tests.features.nets import OneSize, model_of, small_net, spec_of

QUICK = DreamParameters(steps=3, octaves=2)


def image_of(channels=3, height=50, width=70):
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize(("height", "width"), [(50, 70), (20, 90), (131, 64), (5, 7)])
def test_the_last_frame_has_the_size_of_the_image(free, height, width):
    model = model_of(small_net() if free else OneSize(small_net()))
    frames = list(dream(model, image_of(3, height, width), "2" if free else "net.2", None, QUICK))
    assert frames[-1].image.shape == (1, 3, height, width)
    assert frames[-1].fraction == pytest.approx(1)
    assert [frame.fraction for frame in frames] == sorted(frame.fraction for frame in frames)
    assert all(frame.image.min() >= 0 and frame.image.max() <= 1 for frame in frames)
    assert len(frames) == 6


def test_the_layer_is_amplified():
    model = model_of(small_net(), spec_of())
    image = image_of()
    *_, last = dream(model, image, "2", 4, DreamParameters(steps=10, octaves=1))
    before, after = (run_to(model, shown, "2")[:, 4].mean() for shown in (image, last.image))
    assert after > before + 0.02


def test_the_same_seed_dreams_the_same():
    model = model_of(small_net(), spec_of())
    first, second = ([frame.image for frame in dream(model, image_of(), "2", None, QUICK)][-1] for _ in range(2))
    assert torch.equal(first, second)


def test_between_octaves_only_what_was_added_is_carried():
    """Steps too small to see leave the image as sharp as it came, through four octaves."""
    model = model_of(small_net(), spec_of())
    image = image_of()
    *_, last = dream(model, image, "2", None, DreamParameters(steps=1, octaves=4, step_size=1e-6))
    assert (last.image - image).abs().max() < 1e-4


def test_one_and_many_channels():
    for channels in (1, 4):
        model = model_of(small_net(channels), spec_of(channels))
        *_, last = dream(model, image_of(channels), "2", None, QUICK)
        assert last.image.shape == (1, channels, 50, 70)


def test_wrong_channels_are_refused():
    model = model_of(small_net())
    with pytest.raises(StrataError, match="1 channels and toy takes 3"):
        next(dream(model, image_of(1), "2"))
    with pytest.raises(StrataError, match="channels 0 to 9, not 10"):
        next(dream(model, image_of(), "2", 10))


@pytest.mark.parametrize(
    ("length", "shift", "tile"), [(100, 0, 32), (100, 17, 32), (10, 5, 32), (33, 0, 32), (640, 32, 224)]
)
def test_tiles_cover_all(length, shift, tile):
    for made in (cut(length, shift, tile=tile), cut(length, shift, longest=tile)):
        covered = {px for start in made.starts for px in range(start, start + made.length)}
        assert set(range(length)) <= covered
        assert made.length <= tile


def test_the_gradient_of_a_local_score_has_no_seams():
    """A score that adds over pixels has the same gradient in one tile or in many."""
    image = image_of(3, 60, 80)
    rows, columns = cut(60, 7, tile=24), cut(80, 3, tile=24)
    gradient = blended_gradient(image, rows, columns, lambda tile: tile.square().sum() / 2)
    inner = (..., slice(8, 52), slice(8, 72))
    assert torch.allclose(gradient[inner], image[inner], atol=1e-5)


def test_indices_are_mirrored_at_both_ends():
    assert mirrored(-3, 12, 4).tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert mirrored(-2, 5, 1).tolist() == [0] * 5


def test_octaves_end_at_full_size_and_begin_where_the_net_sees():
    sizes = octave_sizes(300, 500, spec_of(height=48, width=48), DreamParameters(), free=False)
    assert sizes[-1] == (300, 500)
    assert 40 <= min(sizes[0]) < 48 * 1.4


def test_five_layers_from_first_to_last():
    layers = [nn.Conv2d(3, 4, 3, padding=1)]
    for _ in range(11):
        layers += [nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)]
    model = model_of(nn.Sequential(*layers))
    names = [layer.name for layer in model.card.layers]
    strip = five_layers(model.card)
    assert len(strip) == 5
    assert (strip[0], strip[-1]) == (names[0], names[-1])
    assert strip == sorted(strip, key=names.index)
    assert five_layers(model_of(small_net()).card) == ["0", "2"]
