"""A layer's accumulators → its statistics table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.statistics.after import after_histogram, after_quantiles
from analysis.statistics.columns import HISTOGRAM_BINS, IMAGE_QUANTILES, QUANTILES
from analysis.statistics.distribution import Distribution
from analysis.statistics.layer_state import LayerState


def statistics_table(state: LayerState) -> pd.DataFrame:
    """One row a channel, the columns of analysis.statistics.columns. NaN where a channel gave no finite value."""
    maps, peaks, sums = state.maps, state.peaks, state.sums
    count = maps.count
    shares = np.array(QUANTILES) / 100
    columns: dict[str, object] = {
        "channel": np.arange(len(count)),
        "images": sums["images"].astype(np.int64),
        "count": count.astype(np.int64),
        "nonfinite": sums["nonfinite"].astype(np.int64),
        "mean": maps.known_mean,
        "std": np.sqrt(maps.variance),
        "min": _finite(maps.low),
        "max": _finite(maps.high),
        "exact_zeros": _ratio(sums["zeros"], count),
        "negatives": _ratio(sums["negatives"], count),
        "zeros": _ratio(sums["silent"], count),
        "dead": (count > 0) & (sums["silent"] == count) & state.follow.silences,
        "after_mean": _ratio(sums["after"], count),
        "after_std": np.sqrt(state.after.variance),
        "after_min": _finite(state.after.low),
        "after_max": _finite(state.after.high),
        "border_ratio": border_ratio(sums),
        **{f"p{share:02d}": values for share, values in zip(QUANTILES, maps.quantiles(shares).T, strict=True)},
        **{
            f"after_p{share:02d}": each for share, each in zip(QUANTILES, after_quantiles(state, shares).T, strict=True)
        },
        "peak_mean": peaks.known_mean,
        "peak_std": np.sqrt(peaks.variance),
        "peak_min": _finite(peaks.low),
        "peak_max": _finite(peaks.high),
        **_quantiles("peak", peaks),
        **_quantiles("image_mean", state.means),
        "image_mean_std": np.sqrt(state.means.variance),
        "image_mean_min": _finite(state.means.low),
        "image_mean_max": _finite(state.means.high),
    }
    counts, edges = _histograms(state)
    columns["histogram"], columns["histogram_edges"] = counts, edges
    columns["after_histogram"] = [after_histogram(state, channel) for channel in range(len(count))]
    return pd.DataFrame(columns)


def _quantiles(name: str, values: Distribution) -> dict[str, np.ndarray]:
    """The columns `<name>_p<percent>` of IMAGE_QUANTILES."""
    found = values.quantiles(np.array(IMAGE_QUANTILES) / 100)
    return {f"{name}_p{share:02d}": each for share, each in zip(IMAGE_QUANTILES, found.T, strict=True)}


def border_ratio(sums: dict[str, np.ndarray]) -> np.ndarray:
    """[C]: mean after the activation on the outermost ring ÷ mean inside of it; NaN where it is not known."""
    ring = _ratio(sums["border"], sums["border_count"])
    inside = _ratio(sums["after"] - sums["border"], sums["inside_count"])
    return _ratio(ring, np.where(inside > 0, inside, 0))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole != 0)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _histograms(state: LayerState) -> tuple[list[np.ndarray], list[np.ndarray]]:
    counts, edges = [], []
    for channel, (low, high) in enumerate(zip(state.maps.low, state.maps.high, strict=True)):
        if not state.maps.count[channel]:
            counts.append(np.zeros(0))
            edges.append(np.zeros(0))
            continue
        margin = 0.5 if high == low else 0.0
        own = np.linspace(low - margin, high + margin, HISTOGRAM_BINS + 1)
        edges.append(own)
        counts.append(state.maps.histogram(channel, own))
    return counts, edges
