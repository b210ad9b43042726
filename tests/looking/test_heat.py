"""A heat map lies where the channel answers: its peak is at the spot, to within the stride."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from analysis.looking.heat import let_through, over_image, shades
from analysis.looking.look import look
from analysis.statistics.follow import Follow
from analysis.statistics.following import follows_of
from tests.features.nets import model_of, spec_of
from tests.looking.nets import finder, spot

MODELS = {padding: finder(padding) for padding in (0, 1)}


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 45), st.integers(2, 61), st.sampled_from([0, 1]), st.sampled_from([16, 48, 112]))
def test_the_peak_lies_on_the_spot(y: int, x: int, padding: int, side: int) -> None:
    model = MODELS[padding]
    layer = model.card.layer("2")
    maps = look(model, spot(y, x)).layers["2"].through[:1]
    heat = over_image(maps, layer, (48, 64), side)[0]
    rows, columns = (torch.nonzero(heat >= heat.max() - 1e-6) + 0.5).unbind(1)
    # px of the image, edges at 0 and 48 or 64; the map has a position every 4 px, and the spot is 5 px wide
    assert abs(float(rows.mean()) * 48 / side - (y + 0.5)) <= 4 + 48 / side
    assert abs(float(columns.mean()) * 64 / side - (x + 0.5)) <= 4 + 64 / side


def test_a_spot_in_the_middle_is_in_the_middle_whatever_the_padding() -> None:
    """Offsets count: with padding 0 a map stretched over the image would draw everything too far out."""
    for padding, model in MODELS.items():
        maps = look(model, spot(12, 15)).layers["2"].through[:1]
        heat = over_image(maps, model.card.layer("2"), (48, 64), 48)[0]
        weights = heat / heat.sum()
        middle = (
            float((weights.sum(1) * (torch.arange(48) + 0.5)).sum()),
            float((weights.sum(0) * (torch.arange(48) + 0.5) * 64 / 48).sum()),
        )
        assert middle == pytest.approx((12.5, 15.5), abs=1.0), padding


def test_the_greatest_value_is_kept_however_small_the_heat_map() -> None:
    model = MODELS[1]
    layer = model.card.layer("0")
    maps = torch.zeros(1, 24, 32)
    maps[0, 5, 7] = 3.0
    for side in (8, 48):
        heat = over_image(maps, layer, (48, 64), side)[0]
        y, x = divmod(int(heat.argmax()), side)
        # positions are 2 px apart from the first px on: row 5 looks at px 10, column 7 at px 14
        assert (y, x) == (int(10.5 * side / 48), int(14.5 * side / 64))
        assert heat.max() == 3.0
    flat = torch.full((2, 24, 32), 0.7)
    torch.testing.assert_close(over_image(flat, layer, (48, 64), 20), torch.full((2, 20, 20), 0.7))


def test_a_layer_whose_geometry_is_not_known_is_stretched_over_the_image() -> None:
    layer = replace(MODELS[1].card.layer("0"), jump=None, offset=None)
    maps = torch.arange(4.0).view(1, 1, 4).expand(1, 4, 4)
    assert over_image(maps, layer, (40, 40), 4)[0, 0].tolist() == pytest.approx([0, 1, 2, 3])


def test_shades_go_from_nothing_to_the_brightest() -> None:
    heat = torch.tensor([[[0.0, 1.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]], [[-2.0, -1.0], [0.0, 2.0]]])
    tiles, reach = shades(heat)
    assert tiles.tolist() == [[[0, 64], [128, 255]], [[0, 0], [0, 0]], [[0, 64], [128, 255]]]
    assert reach.tolist() == [4, 0, 4]


def test_what_comes_through_is_what_the_net_itself_computes() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(5)
    with torch.no_grad():
        for values in (norm.weight, norm.bias, norm.running_mean):
            values.normal_()
    for activation in (nn.ReLU(), nn.ReLU6(), nn.SiLU(), nn.Hardswish(), nn.Identity()):
        conv = nn.Conv2d(3, 5, 3, padding=1)
        net = nn.Sequential(conv, norm, activation)
        model = model_of(net.eval(), spec_of())
        image = torch.rand(2, 3, 48, 48)
        with torch.no_grad():
            found = let_through(conv(model.card.input.prepare(image)), follows_of(model)["0"])
            torch.testing.assert_close(found, model(image), rtol=1e-4, atol=1e-4)


def test_nothing_follows_a_bare_conv() -> None:
    maps = torch.randn(1, 3, 4, 4)
    assert torch.equal(let_through(maps, Follow.nothing(3)), maps)
    assert np.isfinite(shades(maps[0])[1]).all()
