"""Quantiles of any number of values in fixed space: counts in bins whose width grows with the value.

Of a map larger than `POSITIONS` so many, or up to half as many again, are counted, on a lattice that is the same for
all images; of smaller maps every one. A bin spans 1/32 of an octave's lower end, from 2⁻¹⁶ to 2¹⁶ on both sides of
zero. A quantile read from it lies in the same bin as the true one of what was counted, so it is off from that by less
than 1/32 (3.2 %) of its own size, or by 2⁻¹⁶ near zero; beyond ±65536 (where half precision ends) only the extremes are
told. How far what was counted is from all values is a matter of chance (measured: docs/techniques.md). Merging is
adding, exact in any order. The idea of bins of relative width: Masson, Rim, Lee, “DDSketch”, VLDB 2019; here they are
linear within an octave, so that a float's own bits tell its bin.
"""

from __future__ import annotations

import numpy as np

POSITIONS = 256
"""Positions of a map that are counted at least, where it has more."""
STEPS = 32
"""Bins an octave."""
OCTAVES = (-16, 16)
SHIFT = 18
"""Bits of a float32 below what tells the bin: 23 of the fraction less log2(STEPS)."""
LOWEST = (127 + OCTAVES[0]) * STEPS
HALF = (OCTAVES[1] - OCTAVES[0]) * STEPS
BINS = 2 * HALF
RELATIVE_ERROR = 1 / STEPS
SMALLEST = 2.0 ** OCTAVES[0]


def bin_edges() -> np.ndarray:
    """[BINS + 1] rising; bin i holds the values from edge i to edge i + 1."""
    octave, step = np.divmod(np.arange(HALF + 1), STEPS)
    positive = 2.0 ** (OCTAVES[0] + octave) * (1 + step / STEPS)
    positive[0] = 0
    return np.concatenate([-positive[:0:-1], positive])


def quantiles(counts: np.ndarray, shares: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """counts [C, BINS], shares [Q] in [0, 1], true extremes low, high [C] → [C, Q]; NaN where nothing was counted.

    The value of rank share·(n − 1), as numpy's default has it, straight-lined within its bin.
    """
    edges = bin_edges()
    total = counts.sum(axis=1)
    above = np.cumsum(counts, axis=1)
    result = np.full((len(counts), len(shares)), np.nan)
    for channel in np.flatnonzero(total):
        rank = shares * (total[channel] - 1)
        place = np.searchsorted(above[channel], rank, side="right").clip(0, BINS - 1)
        inside = counts[channel, place]
        share = (rank - (above[channel, place] - inside) + 0.5) / np.maximum(inside, 1)
        value = edges[place] + share.clip(0, 1) * (edges[place + 1] - edges[place])
        result[channel] = np.clip(value, low[channel], high[channel])
    return result


def histogram(counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """counts [BINS], edges [n + 1] rising → [n] counts in equal or any other bins, each of ours spread evenly."""
    above = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    spread = np.interp(edges, bin_edges(), above)
    spread[0], spread[-1] = 0.0, above[-1]
    return np.diff(spread)
