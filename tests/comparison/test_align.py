"""A layout that was turned and mirrored comes back; layouts with nothing in common are not said to fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes

from analysis.comparison.align import align


def scattered(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 2)) * (3, 1)


def same(count: int) -> np.ndarray:
    return np.column_stack([np.arange(count)] * 2)


@settings(max_examples=25, deadline=None)
@given(
    angle=st.floats(0, 6.3), mirrored=st.booleans(), scale=st.floats(0.01, 100), by=st.floats(-1e3, 1e3)
)  # fmt: skip
def test_a_turned_mirrored_scaled_moved_layout_comes_back(
    angle: float, mirrored: bool, scale: float, by: float
) -> None:
    first = scattered(40)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * ([1, -1] if mirrored else 1)
    fit = align(first, scale * first @ turn + by, same(40))
    np.testing.assert_allclose(fit.places, first, atol=1e-6 * (1 + abs(by) / scale))
    assert fit.explained == pytest.approx(1)
    assert fit.sure


def test_the_order_of_the_rows_does_not_matter_and_the_unpaired_come_along() -> None:
    first = scattered(40)
    order = np.random.default_rng(1).permutation(40)
    second = -first[order]
    pairs = np.column_stack([order, np.arange(40)])[:25]
    np.testing.assert_allclose(align(first, second, pairs).places, first[order], atol=1e-9)


def test_what_is_explained_is_what_scipy_says() -> None:
    first, second = scattered(30), scattered(30) + 0.8 * scattered(30, seed=1)
    assert align(first, second, same(30)).explained == pytest.approx(1 - procrustes(first, second)[2])


def test_layouts_that_have_nothing_in_common_are_not_said_to_fit() -> None:
    fits = [align(scattered(50, seed), scattered(50, 1000 + seed), same(50)) for seed in range(40)]
    assert sum(fit.sure for fit in fits) <= 6  # one in twenty by chance: 2 of 40
    assert max(fit.explained for fit in fits) < 0.9
    spread = [np.ptp(fit.places, axis=0).max() for fit in fits]
    assert min(spread) > 1, "a layout that fits badly is not shrunk to a point"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_pairs_turn_nothing(count: int) -> None:
    fit = align(scattered(9), scattered(9, 5), same(count))
    np.testing.assert_array_equal(fit.places, scattered(9, 5))
    assert not fit.sure


def test_a_layout_without_spread_turns_nothing() -> None:
    assert not align(np.zeros((9, 2)), scattered(9), same(9)).sure
