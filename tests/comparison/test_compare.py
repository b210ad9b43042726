"""Layers are paired and their differences are what they should be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.comparison.compare import MODEL_COLUMNS, compare_layer, compare_models
from analysis.comparison.pairs import pair_layers
from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard


def layer(name: str, out: int = 4, inside: int = 3) -> ConvLayer:
    return ConvLayer(name, "Conv2d", inside, out, (3, 3), (1, 1), (1, 1), (1, 1), 1, 10)


def card(*layers: ConvLayer) -> ModelCard:
    return ModelCard("m-0", "m", "state dict", None, "", "0", InputSpec(), layers)


def table(mean: list[float], dead: list[bool] | None = None) -> pd.DataFrame:
    count = len(mean)
    return pd.DataFrame(
        {
            "channel": range(count),
            "mean": mean,
            "std": 2.0,
            "zeros": [0.5] * count,
            "after_mean": 1.0,
            "peak_mean": 4.0,
            "peak_max": 8.0,
            "dead": dead or [False] * count,
        }
    )


def test_layers_pair_by_name_then_by_shape_in_order() -> None:
    a = [layer("stem"), layer("x.1", 8, 4), layer("x.2", 8, 8), layer("gone", 5, 8)]
    b = [layer("stem"), layer("y.1", 8, 4), layer("y.2", 8, 8), layer("new", 6, 8)]
    pairs = [(pair.a, pair.b, pair.how) for pair in pair_layers(a, b)]
    assert pairs == [
        ("stem", "stem", "name"),
        ("x.1", "y.1", "order"),
        ("x.2", "y.2", "order"),
        ("gone", None, "unpaired"),
        (None, "new", "unpaired"),
    ]


def test_a_model_against_itself_differs_in_nothing() -> None:
    one = card(layer("a"), layer("b"))
    tables = {"a": table([0, 1, 2, 3]), "b": table([5, 5, 5, 5])}
    compared = compare_models(one, one, tables, tables)
    assert list(compared.columns) == list(MODEL_COLUMNS)
    assert compared["mean_shift"].tolist() == [0, 0]
    assert compared["std_ratio"].tolist() == [1, 1]
    assert compared["died"].tolist() == [0, 0]


def test_differences_have_their_size_and_channel() -> None:
    a, b = table([0, 0, 0, 0], [False, True, False, False]), table([0, 0, 4, 0], [True, False, False, False])
    row = compare_models(card(layer("a")), card(layer("a")), {"a": a}, {"a": b}).iloc[0]
    assert row["mean_shift"] == pytest.approx(4 / 2 / 4)
    assert (row["dead_a"], row["dead_b"], row["died"], row["revived"]) == (1, 1, 1, 1)
    each = compare_layer(a, b)
    assert each["channel"][0] == 2
    assert each["shift"].tolist() == [2, 0, 0, 0]
    assert each["mean_change"][0] == 4


def test_what_was_not_measured_or_does_not_pair_is_left_open() -> None:
    a, b = card(layer("a"), layer("w", 4)), card(layer("a"), layer("w", 6))
    compared = compare_models(a, b, {"a": table([1, 2, 3, 4]), "w": table([0] * 4)}, {"w": table([0] * 6)})
    assert np.isnan(compared["mean_shift"]).all()
    assert compared["dead_a"].tolist() == [0, 0]
    assert compared["channels_b"].tolist() == [4, 6]


def test_channels_that_do_not_vary_have_no_scale() -> None:
    a, b = table([1.0, 1.0]).assign(std=0.0), table([1.0, 2.0]).assign(std=0.0)
    shift = compare_layer(a, b).set_index("channel")["shift"]
    assert shift[0] == 0
    assert np.isnan(shift[1])
