"""The inner loops: everything that is known of one map of one channel, from one walk over it.

Compiled by numba. Each map is summed on its own, in float64 around its first value, so that what comes out does not
depend on which images share a batch.
"""

from __future__ import annotations

import numba
import numpy as np

from analysis.statistics.sketch import BINS, HALF, LOWEST, SHIFT

FIELDS = ("count", "mean", "m2", "low", "peak", "place", "zeros", "negatives", "silent", "after", "border")
"""What `walk` gives of each map: number of finite values, their mean, sum of squared distances from it, least and
greatest, flat place of the greatest, how many are zero, below zero, and silent after the normalisation that follows;
sum of the rectified (or not) normalised values over the map, and over its outermost ring."""

_MATHS = {"reassoc", "contract", "nsz"}
_LARGEST = np.float32(np.finfo(np.float32).max)


@numba.njit(cache=True, nogil=True, fastmath=_MATHS)
def _sums(row, scale, shift, floor):  # type: ignore[no-untyped-def]
    first = np.float64(row[0])
    total = 0.0
    squares = 0.0
    after = 0.0
    low = row[0]
    peak = row[0]
    zeros = np.int32(0)
    negatives = np.int32(0)
    silent = np.int32(0)
    for j in range(row.size):
        value = row[j]
        distance = np.float64(value) - first
        total += distance
        squares += distance * distance
        low = min(low, value)
        peak = max(peak, value)
        then = scale * value + shift
        after += max(then, floor)
        zeros += np.int32(value == 0)
        negatives += np.int32(value < 0)
        silent += np.int32(then <= 0)
    return first, total, squares, low, peak, zeros, negatives, silent, after


@numba.njit(cache=True, nogil=True)
def _ring(row, width, scale, shift, floor):  # type: ignore[no-untyped-def]
    """Sum of the normalised, rectified values on the outermost ring of a map of `width` columns."""
    height = row.size // width
    total = 0.0
    for y in range(height):
        inside = 0 < y < height - 1
        x = 0
        while x < width:
            total += max(scale * row[y * width + x] + shift, floor)
            x += width - 1 if inside and x == 0 and width > 1 else 1
    return total


@numba.njit(cache=True, nogil=True)
def _count_bins(row, bins):  # type: ignore[no-untyped-def]
    words = row.view(np.int32)
    for j in range(words.size):
        word = words[j]
        size = min(max(((word & 0x7FFFFFFF) >> SHIFT) - LOWEST, 0), HALF - 1)
        bins[HALF - 1 - size if word < 0 else HALF + size] += 1


@numba.njit(cache=True, nogil=True)
def walk(maps, width, scale, shift, floor, bins, out):  # type: ignore[no-untyped-def]
    """maps [B, C, N] float32 contiguous → out [B, C, len(FIELDS)] float64; bins [C, BINS] int32 is added to.

    width : columns of a map; 0 where maps are not two-dimensional (no ring is summed)
    scale, shift, floor : [C] float32 and a number: what follows the conv is max(scale·x + shift, floor)
    """
    finite = np.empty(maps.shape[2], np.float32)
    for i in range(maps.shape[0]):
        for c in range(maps.shape[1]):
            row = maps[i, c]
            count = row.size
            fields = _sums(row, scale[c], shift[c], floor)
            if not np.isfinite(fields[2]):
                count = 0
                for j in range(row.size):
                    if abs(row[j]) <= _LARGEST:
                        finite[count] = row[j]
                        count += 1
                if count == 0:
                    out[i, c] = 0
                    out[i, c, 3] = np.inf
                    out[i, c, 4] = -np.inf
                    continue
                fields = _sums(finite[:count], scale[c], shift[c], floor)
            first, total, squares, low, peak, zeros, negatives, silent, after = fields
            place = 0
            while row[place] != peak:
                place += 1
            out[i, c, 0] = count
            out[i, c, 1] = first + total / count
            out[i, c, 2] = max(squares - total * total / count, 0.0)
            out[i, c, 3] = low
            out[i, c, 4] = peak
            out[i, c, 5] = place
            out[i, c, 6] = zeros
            out[i, c, 7] = negatives
            out[i, c, 8] = silent
            out[i, c, 9] = after
            if count == row.size:
                out[i, c, 10] = _ring(row, width, scale[c], shift[c], floor) if width else 0.0
                _count_bins(row, bins[c])
            else:
                _count_bins(finite[:count], bins[c])


@numba.njit(cache=True, nogil=True)
def count_values(values, bins):  # type: ignore[no-untyped-def]
    """values [n, C] float32 → bins [C, BINS] gets one more at each finite value's bin."""
    one = np.empty(1, np.float32)
    for i in range(values.shape[0]):
        for c in range(values.shape[1]):
            if abs(values[i, c]) <= _LARGEST:
                one[0] = values[i, c]
                _count_bins(one, bins[c])


@numba.njit(cache=True, nogil=True)
def insert_ranked(values, images, places, best_values, best_images, best_places):  # type: ignore[no-untyped-def]
    """Keep the k greatest of each channel, greatest first; of equal values the image of the lower number.

    values [n, C] (−inf: nothing), images [n] or [n, C] as [n, C], places [n, C]; best_* [C, k], changed in place.
    """
    keep = best_values.shape[1]
    for i in range(values.shape[0]):
        for c in range(values.shape[1]):
            value = values[i, c]
            image = images[i, c]
            slot = keep
            while slot > 0 and (
                value > best_values[c, slot - 1]
                or (value == best_values[c, slot - 1] and image < best_images[c, slot - 1] and value > -np.inf)
            ):
                slot -= 1
            if slot == keep or value == -np.inf:
                continue
            for j in range(keep - 1, slot, -1):
                best_values[c, j] = best_values[c, j - 1]
                best_images[c, j] = best_images[c, j - 1]
                best_places[c, j] = best_places[c, j - 1]
            best_values[c, slot] = value
            best_images[c, slot] = image
            best_places[c, slot] = places[i, c]


__all__ = ["BINS", "FIELDS", "count_values", "insert_ranked", "walk"]
