from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.statistics.columns import COLUMNS
from analysis.statistics.weights import COLUMNS as WEIGHTS
from dashboard.measures import KNOWN, measures_of, numbers, to_data, written
from dashboard.pictures import readable, spread

DERIVED = {"purity", "reach"}
"""Made by the dashboard from other tables."""


def test_every_measure_is_a_column_of_the_tables() -> None:
    assert {measure.name for measure in KNOWN} - DERIVED <= set(COLUMNS) | set(WEIGHTS)


def test_measures_without_a_value_are_not_offered() -> None:
    table = pd.DataFrame({"channel": [0, 1], "mean": [1.0, 2.0], "border_ratio": [np.nan, np.nan], "nonfinite": [0, 0]})
    assert [measure.name for measure in measures_of(table)] == ["mean"]


def test_values_stand_in_the_order_of_the_channels_and_missing_ones_are_none() -> None:
    table = pd.DataFrame({"channel": [2, 0], "mean": [5.0, np.inf]})
    assert to_data(table, [0, 1, 2])[0]["values"] == [None, None, 5.0]


@given(st.floats(-1e30, 1e30))
def test_numbers_keep_five_digits(value: float) -> None:
    (told,) = numbers(pd.Series([value]))
    assert told == pytest.approx(value, rel=1e-4, abs=1e-300)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_written_shortly(value: float) -> None:
    assert len(written(value)) <= 9
    assert (written(value) == "–") == (not math.isfinite(value))


@given(st.lists(st.integers(), unique=True, max_size=200), st.integers(1, 40))
def test_a_spread_is_even_in_order_and_reaches_both_ends(items: list[int], count: int) -> None:
    chosen = spread(items, count)
    assert len(chosen) == min(count, len(items))
    places = [items.index(item) for item in chosen]
    assert places == sorted(set(places))
    if items and count > 1:
        assert (chosen[0], chosen[-1]) == (items[0], items[-1])


@pytest.mark.parametrize(
    ("label", "read"),
    [("n01532829_house_finch", "house finch"), ("golf ball", "golf ball"), ("n0123_x", "n0123 x"), ("7", "7")],
)
def test_labels_are_written_as_people_read_them(label: str, read: str) -> None:
    assert readable(label) == read
