"""A layer's statistics as screens show them: title, meaning, how a number is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Format = Literal["number", "percent", "count"]


@dataclass(frozen=True)
class Measure:
    """name: a column of statistics or weights · title, about: for people · highlight: shown before the others."""

    name: str
    title: str
    about: str
    format: Format = "number"
    highlight: bool = False


KNOWN = (
    Measure("peak_max", "Strongest response", "The greatest value on any image.", highlight=True),
    Measure("peak_mean", "Mean peak", "The greatest value of an image, averaged over the images.", highlight=True),
    Measure("purity", "Purity", "Share of the strongest images that are of one class.", "percent", highlight=True),
    Measure("zeros", "Silent", "Share of values that the activation silences.", "percent", highlight=True),
    Measure(
        "reach",
        "Picture against images",
        "How strongly the picture excites it: its peak ÷ that of the best real image; below 1, distrust the picture.",
        highlight=True,
    ),
    Measure(
        "selectivity",
        "Selectivity",
        "How far the best class stands above the others: 0 all alike, 1 that class alone.",
    ),
    Measure("norm", "Filter norm", "Euclidean norm of its weights."),
    Measure("mean", "Mean", "Mean at the convolution's own output."),
    Measure("std", "Spread", "Standard deviation at the convolution's own output."),
    Measure("min", "Minimum", "The least value."),
    Measure("max", "Maximum", "The greatest value."),
    Measure("after_mean", "Mean after activation", "Mean after the normalisation and activation that follow."),
    Measure("negatives", "Negative", "Share of values below 0.", "percent"),
    Measure("exact_zeros", "Exactly 0", "Share of values that are exactly 0.", "percent"),
    Measure(
        "border_ratio",
        "Border ÷ inside",
        "Its mean answer at the border of images ÷ that inside them; far from 1, the padding drives it.",
    ),
    Measure("image_mean_std", "Spread between images", "Standard deviation of the map's mean over the images."),
    Measure("peak_min", "Weakest peak", "The greatest value of the weakest image."),
    Measure("peak_std", "Spread of peaks", "Standard deviation of the images' greatest values."),
    Measure("p01", "1 % quantile", "1 % of the values lie below."),
    Measure("p50", "Median", "Half of the values lie below."),
    Measure("p99", "99 % quantile", "1 % of the values lie above."),
    Measure("nonfinite", "Not finite", "Values that were NaN or infinite.", "count"),
)
"""Those that a person sorts by, in this order; the table's other columns stay in the file."""


def measures_of(statistics: pd.DataFrame | None) -> list[Measure]:
    """The known measures that a table has something to say about."""
    if statistics is None:
        return []
    told = [measure for measure in KNOWN if measure.name in statistics and statistics[measure.name].notna().any()]
    return [measure for measure in told if measure.name != "nonfinite" or statistics["nonfinite"].any()]


def numbers(values: pd.Series) -> list[float | None]:
    """As a script takes them: five significant digits, None for what is not a finite number."""
    return [None if not math.isfinite(value) else float(f"{value:.5g}") for value in values.astype(float)]


def written(value: float | None, form: Format = "number") -> str:
    """One number for people."""
    if value is None or not math.isfinite(value):
        return "–"
    if form == "percent":
        return f"{100 * value:.1f} %" if abs(value) < 0.1 else f"{100 * value:.0f} %"
    if form == "count":
        return f"{value:,.0f}"
    size = abs(value)
    if size and (size < 0.001 or size >= 100_000):
        return f"{value:.1e}"
    return f"{value:.3f}" if size < 1 else f"{value:.2f}" if size < 100 else f"{value:,.0f}"


def to_data(statistics: pd.DataFrame | None, channels: list[int], suffix: str = "") -> list[dict[str, Any]]:
    """The statistics as the grid takes them: one list of values a measure, in the order of `channels`."""
    if statistics is None:
        return []
    by_channel = statistics.set_index("channel").reindex(channels)
    return [
        {
            "name": measure.name,
            "title": measure.title + suffix,
            "about": measure.about,
            "format": measure.format,
            "values": numbers(by_channel[measure.name]),
        }
        for measure in measures_of(statistics)
    ]
