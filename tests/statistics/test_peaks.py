"""A map's greatest and least value, and the place of the greatest: NumPy's, whatever the map's level and size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analysis.models.capture import run_to
from analysis.probe import open_probe
from analysis.statistics.follow import Follow
from analysis.statistics.following import follows_of
from analysis.statistics.layer_state import Images, LayerState, Settings
from analysis.statistics.pass_over import measure
from analysis.statistics.sketch import POSITIONS
from analysis.statistics.table import statistics_table
from tests.probe.pictures import write_pictures
from tests.statistics.nets import SPEC, InPlace, opened

FLOAT = np.finfo(np.float32)
EDGES = [0.0, -0.0, FLOAT.tiny, -FLOAT.tiny, FLOAT.smallest_subnormal, -2.0, np.nextafter(np.float32(-2), -np.inf)]
VALUES = st.one_of(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from([*EDGES, FLOAT.min]))


def measured(maps: np.ndarray) -> LayerState:
    """maps [images, C, H, W] float32 → what one pass keeps of them."""
    count, channels = maps.shape[:2]
    state = LayerState(Follow.nothing(channels), Settings(keep=count, width=0))
    state.update(maps, Images(np.arange(count), np.full(count, -1), np.ones(count, bool)))
    state.take_in()
    return state


def first_greatest(maps: np.ndarray) -> np.ndarray:
    """[images, C, N] → the first place of the greatest value, −0 below 0."""
    below = np.where(np.signbit(maps), maps - FLOAT.smallest_subnormal * (maps == 0), maps)
    return below.argmax(axis=2)


def map_of(low: float, high: float, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


@settings(deadline=None, max_examples=100)
@given(arrays.arrays(np.float32, st.tuples(*map(st.integers, (1, 1, 1, 1), (3, 3, 5, 70))), elements=VALUES))
@example(map_of(-51, -50, (2, 1, 3, 3)))
@example(map_of(-1001, -999, (3, 2, 20, 30)))
@example(np.full((1, 1, 2, 2), FLOAT.min, np.float32))
def test_over_the_whole_range_of_floats(maps: np.ndarray) -> None:
    state, flat = measured(maps), maps.reshape(*maps.shape[:2], -1)
    table = statistics_table(state)
    np.testing.assert_array_equal(state.drawn.peaks, flat.max(axis=2))
    np.testing.assert_array_equal(state.drawn.places, first_greatest(flat))
    np.testing.assert_array_equal(table["max"], flat.max(axis=(0, 2)))
    np.testing.assert_array_equal(table["min"], flat.min(axis=(0, 2)))
    np.testing.assert_array_equal(table["peak_max"], flat.max(axis=2).max(axis=0))
    np.testing.assert_array_equal(table["peak_min"], flat.max(axis=2).min(axis=0))
    for channel, peaks in enumerate(flat.max(axis=2).T):
        np.testing.assert_array_equal(state.highest.values[channel], np.sort(peaks)[::-1])
        np.testing.assert_array_equal(-state.lowest.values[channel], np.sort(peaks))


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 40), st.data())
def test_between_numbers_that_are_none(size: int, data: st.DataObject) -> None:
    """NaN of either sign and any payload, and infinities, anywhere among finite values."""
    maps = data.draw(arrays.arrays(np.float32, (1, 1, 1, size), elements=VALUES))
    odd = np.array([0xFFFFFFFF, 0x7FFFFFFF, 0xFF800001, 0xFFC00000, 0x7F800000, 0xFF800000], np.uint32)
    holes = data.draw(st.sets(st.integers(0, size - 1), max_size=size - 1))
    for place in holes:
        maps[0, 0, 0, place] = data.draw(st.sampled_from(odd)).view(np.float32)
    state, flat = measured(maps), np.where(np.isfinite(maps), maps, FLOAT.min).reshape(1, 1, -1)
    assert state.sums["nonfinite"] == len(holes)
    assert state.drawn.peaks == flat.max()
    place = state.drawn.places.item()
    assert place not in holes
    assert flat[0, 0, place] == flat.max()


@pytest.mark.parametrize("level", [-50.0, -1000.0])
def test_a_channel_far_below_zero_through_a_whole_pass(tmp_path: Path, level: float) -> None:
    """A dead channel has peaks, and places where they are, as any other; on maps of more positions than are counted."""
    model = opened(InPlace, replace(SPEC, height=40, width=48))
    model.module.first.bias.data[2] = level
    probe = open_probe(str(write_pictures(tmp_path / "images", 6)))
    state = measure(model, probe, range(6), ["first"], follows_of(model), Settings()).layers["first"]
    with torch.no_grad():
        maps = run_to(model, probe.batch(range(6), model.card.input), "first").numpy().astype(np.float64)
    flat = maps.reshape(6, maps.shape[1], -1)
    assert flat.shape[2] > POSITIONS
    table = statistics_table(state)
    np.testing.assert_allclose(state.drawn.peaks, flat.max(axis=2), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(table["mean"], flat.mean(axis=(0, 2)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(table["std"], flat.std(axis=(0, 2)), rtol=1e-3)
    at_places = np.take_along_axis(flat, state.drawn.places[..., None].astype(int), axis=2)[..., 0]
    np.testing.assert_allclose(at_places, flat.max(axis=2), rtol=1e-5, atol=1e-5)
    assert table["dead"].tolist() == [False, False, True, False, False, False]
    clear = np.argsort(-flat[:, 2].max(axis=1), kind="stable")
    assert state.highest.images[2][:6].tolist() == clear.tolist()
