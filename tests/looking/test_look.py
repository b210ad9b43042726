"""What a model did with one image: its answer and the channels that answer most, by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from analysis.looking.look import look, strongest
from tests.features.nets import model_of, spec_of
from tests.looking.nets import finder, spot


def table(mean: list[float], deviation: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"channel": range(len(mean)), "peak_mean": mean, "peak_std": deviation})


def test_a_bright_spot_excites_the_channel_for_brightness() -> None:
    seen = look(finder(), spot(20, 30))
    (best, *_rest) = strongest(seen.layers["2"], None)
    assert best.channel == 0
    assert best.high == best.peak == pytest.approx(float(seen.layers["2"].through[0].max()))
    assert seen.heads["output"][0].number == 0


def test_a_silent_channel_is_none_that_answers() -> None:
    found = strongest(look(finder(), spot(20, 30)).layers["2"], table([0, 0, -9], [1, 1, 1]))
    assert 2 not in [each.channel for each in found]


def test_z_is_counted_from_the_probe() -> None:
    response = look(finder(), spot(20, 30)).layers["0"]
    peaks = response.peaks.tolist()
    (first, *_rest) = strongest(response, table([peaks[0] - 3.0, peaks[1]], [1.5, 1.0]))
    assert (first.channel, first.z) == (0, pytest.approx(2.0, abs=1e-5))


def test_a_channel_that_never_varied_has_no_z_and_is_left_out() -> None:
    response = look(finder(), spot(20, 30)).layers["0"]
    assert all(each.channel != 0 for each in strongest(response, table([0.0, 0.0], [0.0, 1.0])))
    assert strongest(response, table([0.0, 0.0], [0.0, 0.0])) == []


def test_channels_that_were_not_measured_have_no_z() -> None:
    response = look(finder(), spot(20, 30)).layers["0"]
    assert [each.channel for each in strongest(response, table([0.0], [1.0]))] == [0]


@pytest.mark.parametrize("last", [None, nn.Softmax(1), nn.Sigmoid()])
def test_shares_are_of_all_classes_or_each_by_itself(last: nn.Module | None) -> None:
    torch.manual_seed(1)
    parts: list[nn.Module] = [nn.Conv2d(3, 7, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(7, 9)]
    model = model_of(nn.Sequential(*parts, *([last] if last is not None else [])), spec_of())
    image = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        logits = nn.Sequential(*parts)(model.card.input.prepare(image))[0]
    wanted = logits.sigmoid() if isinstance(last, nn.Sigmoid) else logits.softmax(0)
    answers = look(model, image).heads["output"]
    assert [each.number for each in answers] == logits.argsort(descending=True)[:5].tolist()
    for each in answers:
        assert each.logit == pytest.approx(float(logits[each.number]), abs=1e-4)
        assert each.share == pytest.approx(float(wanted[each.number]), abs=1e-4)


def test_the_layers_are_read_before_a_relu_in_place_changes_them() -> None:
    model, image = finder(), spot(20, 30)
    response = look(model, image).layers["0"]
    first = next(iter(model.module.children()))
    with torch.no_grad():
        maps = first(model.card.input.prepare(image))[0]
    np.testing.assert_allclose(response.peaks.numpy(), maps.flatten(1).amax(1).numpy(), rtol=1e-5)
    np.testing.assert_allclose(response.through.numpy(), maps.relu().numpy(), rtol=1e-5)
