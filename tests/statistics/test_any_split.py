"""However the images are cut into batches and shards, and in whatever order these come: the same result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from analysis import encoding
from analysis.statistics.follow import Follow
from analysis.statistics.layer_state import Images, LayerState, Settings
from analysis.statistics.table import statistics_table

COUNT, CHANNELS = 17, 5
FOLLOW = Follow(
    np.array([1, -2, 0.5, 3, 1], np.float32), np.array([0, 0.1, -0.2, 5, -90], np.float32), activation="relu"
)


def maps_of(seed: int) -> np.ndarray:
    """[images, channels, 6, 7]: scales from 1e-4 to 1e4, a mean far from 0, a constant channel, ties, NaN, infinity."""
    random = np.random.default_rng(seed)
    maps = random.normal(size=(COUNT, CHANNELS, 6, 7)).astype(np.float32)
    maps[:, 0] = np.round(maps[:, 0])  # ties between images
    maps[:, 1] *= 1e4
    maps[:, 2] = maps[:, 2] * 1e-4 + 300
    maps[:, 3] = 2.5
    maps[3, 4, 2, 2], maps[5, 4, 0, 0], maps[8, 0] = np.nan, np.inf, np.nan
    return maps


LABELS = np.arange(COUNT) % 4 - 1  # some without a label


BENT = replace(FOLLOW, activation="silu", function=functional.silu)


def measured(maps: np.ndarray, shards: list[list[list[int]]], follow: Follow = FOLLOW) -> LayerState:
    """shards of batches of image numbers → the merged state, each shard through its file form."""
    drawn = np.arange(COUNT) % 2 == 0
    whole: LayerState | None = None
    for shard in shards:
        state = LayerState(follow, Settings(keep=4, width=64))
        for batch in shard:
            numbers = np.array(batch, np.int64)
            state.update(maps[numbers], Images(numbers, LABELS[numbers], drawn[numbers]))
        read = LayerState.from_arrays(encoding.from_npz(encoding.to_npz(state.arrays())))
        if whole is None:
            whole = read
        else:
            whole.merge(read)
    assert whole is not None
    return whole


@st.composite
def splits(draw: st.DrawFn) -> list[list[list[int]]]:
    """Any order of the images, cut into batches anywhere, the batches into shards anywhere."""
    order = draw(st.permutations(range(COUNT)))
    cuts = sorted(draw(st.sets(st.integers(1, COUNT - 1))))
    batches = [list(order[a:b]) for a, b in zip([0, *cuts], [*cuts, COUNT], strict=True)]
    shard_cuts = sorted(draw(st.sets(st.integers(1, max(1, len(batches) - 1)), max_size=len(batches) - 1)))
    shards = [batches[a:b] for a, b in zip([0, *shard_cuts], [*shard_cuts, len(batches)], strict=True)]
    return [shard for shard in shards if shard]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 3), splits(), st.sampled_from([FOLLOW, BENT]))
def test_any_split_gives_the_same(seed: int, shards: list[list[list[int]]], follow: Follow) -> None:
    maps = maps_of(seed)
    once = measured(maps, [[list(range(COUNT))]], follow)
    parts = measured(maps, shards, follow)
    expected, found = once.arrays(), parts.arrays()
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        if array.dtype.kind == "f" and not name.startswith(("highest", "lowest")):
            scale = np.max(np.abs(array[np.isfinite(array)]), initial=0.0)
            np.testing.assert_allclose(found[name], array, rtol=1e-9, atol=1e-11 * scale, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], array, err_msg=name)
    tables = statistics_table(once), statistics_table(parts)
    for name in ("p50", "after_p50", "image_mean_p95", "peak_p99", "zeros", "dead", "nonfinite", "min", "max"):
        np.testing.assert_array_equal(tables[0][name], tables[1][name], err_msg=name)


def test_ties_go_to_the_first_image() -> None:
    maps = np.ones((COUNT, CHANNELS, 2, 2), np.float32)
    state = measured(maps, [[[9, 3], [12]], [[1, 16, 0]]])
    assert state.highest.images[0].tolist() == [0, 1, 3, 9]
    assert state.lowest.images[0].tolist() == [0, 1, 3, 9]
    assert state.highest.places[0].tolist() == [0, 0, 0, 0]


def test_values_that_are_not_finite_are_counted_and_left_out() -> None:
    maps = maps_of(0)
    table = statistics_table(measured(maps, [[list(range(COUNT))]]))
    assert table["nonfinite"].tolist() == [42, 0, 0, 0, 2 + 0]
    kept = maps[:, 4][np.isfinite(maps[:, 4])].astype(np.float64)
    assert table["mean"][4] == np.float64(kept.mean()) or abs(table["mean"][4] - kept.mean()) < 1e-9
    assert table["count"][0] == (COUNT - 1) * 42


def test_a_mean_far_from_zero_does_not_cancel() -> None:
    maps = maps_of(1)
    table = statistics_table(measured(maps, [[[number] for number in range(COUNT)]]))
    exact = maps[:, 2].astype(np.float64).std()
    assert abs(table["std"][2] / exact - 1) < 1e-9


def test_all_values_not_finite_is_a_state_not_an_error() -> None:
    maps = np.full((COUNT, CHANNELS, 3, 3), np.nan, np.float32)
    table = statistics_table(measured(maps, [[list(range(COUNT))]]))
    assert (table["count"] == 0).all()
    assert (table["nonfinite"] == COUNT * 9).all()
    assert table["mean"].isna().all()
    assert table["peak_max"].isna().all()
    assert not table["dead"].any()
