"""What a channel lets through: quantiles and histogram after the normalisation and activation that follow a conv.

An activation that only cuts off (ReLU, ReLU6, none) keeps the order of a·x + b, so its quantiles are those of x, moved;
nothing else has to be counted. What other activations give has been counted itself.
"""

from __future__ import annotations

import numpy as np

from analysis.statistics.columns import HISTOGRAM_BINS
from analysis.statistics.distribution import Distribution
from analysis.statistics.layer_state import LayerState


def after_quantiles(state: LayerState, shares: np.ndarray) -> np.ndarray:
    """shares [Q] in [0, 1] → [C, Q]: those of the counted values, but for up to 3.2 % of |a·x| (of the value itself for
    other activations)."""
    if isinstance(state.after, Distribution):
        return state.after.quantiles(shares)
    scale, shift = (each.astype(np.float64)[:, None] for each in (state.follow.scale, state.follow.shift))
    before = np.where(scale >= 0, state.maps.quantiles(shares), state.maps.quantiles(1 - shares))
    cut = np.clip(scale * before + shift, *state.follow.bounds)
    return np.clip(cut, state.after.low[:, None], state.after.high[:, None])


def after_histogram(state: LayerState, channel: int) -> np.ndarray:
    """[HISTOGRAM_BINS] values in equal bins from the least to the greatest; all in one bin where these are the same."""
    low, high, count = state.after.low[channel], state.after.high[channel], state.after.count[channel]
    if not count:
        return np.zeros(0)
    if low == high:
        return np.where(np.arange(HISTOGRAM_BINS) == HISTOGRAM_BINS // 2, count, 0.0)
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    if isinstance(state.after, Distribution):
        return state.after.histogram(channel, edges)
    before = (edges - state.follow.shift[channel]) / state.follow.scale[channel]
    return (
        state.maps.histogram(channel, before)
        if before[0] < before[-1]
        else state.maps.histogram(channel, before[::-1])[::-1]
    )
