"""The statistics of two models compared, layer by layer and channel by channel. Pure functions over tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.comparison.pairs import pair_layers
from analysis.models.model import ModelCard

COMPARED = ("mean", "std", "zeros", "after_mean", "peak_mean", "peak_max")

MODEL_COLUMNS: dict[str, str] = {
    "layer_a": "layer of the first model, None where it has no counterpart",
    "layer_b": "layer of the second model, None where it has no counterpart",
    "paired": "how they were paired: by name, by order (same shape, other name), or unpaired",
    "channels_a": "channels of the first",
    "channels_b": "channels of the second",
    "mean_shift": "mean over the channels of |difference of means| ÷ pooled standard deviation",
    "std_ratio": "median over the channels of std in b ÷ std in a",
    "zeros_a": "median over the channels of the share of silenced values in a",
    "zeros_b": "the same in b",
    "dead_a": "channels dead in a",
    "dead_b": "channels dead in b",
    "died": "channels alive in a, dead in b",
    "revived": "channels dead in a, alive in b",
    "peak_ratio": "median over the channels of the mean peak in b ÷ that in a",
}


def compare_models(
    card_a: ModelCard,
    card_b: ModelCard,
    statistics_a: Mapping[str, pd.DataFrame],
    statistics_b: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """One row a pair of layers, the columns of MODEL_COLUMNS.

    statistics_a, statistics_b : layer → its table of analysis.statistics.columns; layers not measured may lack.
    Figures are NaN where a side was not measured, and for layers of unequal width where they pair channels.
    """
    widths_a = {layer.name: layer.out_channels for layer in card_a.layers}
    widths_b = {layer.name: layer.out_channels for layer in card_b.layers}
    rows = []
    for pair in pair_layers(card_a.layers, card_b.layers):
        a = statistics_a.get(pair.a) if pair.a else None
        b = statistics_b.get(pair.b) if pair.b else None
        row: dict[str, object] = {
            "layer_a": pair.a,
            "layer_b": pair.b,
            "paired": pair.how,
            "channels_a": widths_a.get(pair.a or ""),
            "channels_b": widths_b.get(pair.b or ""),
        }
        rows.append(row | _one_side("a", a) | _one_side("b", b) | _both_sides(a, b))
    return pd.DataFrame(rows, columns=list(MODEL_COLUMNS))


def compare_layer(stats_a: pd.DataFrame, stats_b: pd.DataFrame) -> pd.DataFrame:
    """One row a channel number that both have: `<column>_a`, `<column>_b` and `<column>_change` (b − a) of COMPARED,
    dead_a, dead_b, and `shift`: |difference of means| ÷ pooled standard deviation, by which it is sorted, largest
    first.
    """
    both = stats_a.merge(stats_b, on="channel", suffixes=("_a", "_b"))
    columns: dict[str, pd.Series] = {"channel": both["channel"]}
    columns["shift"] = _shift(both["mean_a"], both["mean_b"], both["std_a"], both["std_b"])
    for name in COMPARED:
        columns[f"{name}_a"], columns[f"{name}_b"] = both[f"{name}_a"], both[f"{name}_b"]
        columns[f"{name}_change"] = both[f"{name}_b"] - both[f"{name}_a"]
    columns["dead_a"], columns["dead_b"] = both["dead_a"], both["dead_b"]
    return pd.DataFrame(columns).sort_values("shift", ascending=False, kind="stable", ignore_index=True)


def _shift(mean_a: pd.Series, mean_b: pd.Series, std_a: pd.Series, std_b: pd.Series) -> pd.Series:
    """NaN where neither varies and the means differ: there is no scale to tell by. 0 where they are the same."""
    distance = (mean_b - mean_a).abs()
    pooled = np.sqrt((std_a**2 + std_b**2) / 2)
    return (distance / pooled.where(pooled > 0)).where(distance > 0, distance)


def _one_side(side: str, table: pd.DataFrame | None) -> dict[str, object]:
    if table is None:
        return {}
    return {f"zeros_{side}": table["zeros"].median(), f"dead_{side}": int(table["dead"].sum())}


def _both_sides(a: pd.DataFrame | None, b: pd.DataFrame | None) -> dict[str, object]:
    if a is None or b is None or len(a) != len(b):
        return {}
    each = compare_layer(a, b)
    return {
        "mean_shift": each["shift"].mean(),
        "std_ratio": (each["std_b"] / each["std_a"].where(each["std_a"] > 0)).median(),
        "died": int((~each["dead_a"] & each["dead_b"]).sum()),
        "revived": int((each["dead_a"] & ~each["dead_b"]).sum()),
        "peak_ratio": (each["peak_mean_b"] / each["peak_mean_a"].where(each["peak_mean_a"] != 0)).median(),
    }
