"""The inner loops: everything that is known of one map of one channel, from a few walks over it.

Compiled by numba. Each map is summed on its own, in float64 around its first value, so that what comes out does not
depend on which images share a batch. Loops are parted so that each becomes vector instructions: that is the difference
between 0.1 and 1.5 ns a value.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from analysis.statistics.sketch import HALF, LOWEST, POSITIONS, SHIFT

FIELDS = (
    *("count", "mean", "m2", "low", "peak", "place", "zeros", "negatives", "silent"),
    *("after", "border", "after_squares", "after_low", "after_high"),
)
"""What `walk` gives of each map: number of finite values, their mean, sum of squared distances from it, least and
greatest, flat place of the greatest, how many are zero, below zero, and silent after the normalisation that follows;
sum of the rectified (or not) normalised values over the map, and over its outermost ring; sum of their squares over
the map, the least and the greatest of them."""

_ONE, _NIL = np.float32(1), np.float32(0)
_LARGEST = np.float32(np.finfo(np.float32).max)
_SIGN = 0x7FFFFFFF
_INFINITE = 0x7F800000
_BLOCK = 1024


@numba.njit(cache=True, nogil=True)
def _extremes(row):  # type: ignore[no-untyped-def]
    """Least value, greatest value, and the first place of the greatest.

    As whole numbers: a float's bits, turned round where negative, have the order of the floats. The greatest is sought
    with its place in the low half of the number, less for later places.
    """
    words = row.view(np.int32)
    low, high = np.int64(1 << 40), np.int64(-(1 << 62))
    for j in range(words.size):
        word = np.int64(words[j])
        key = word ^ ((word >> 31) & _SIGN)
        low = min(low, key)
        high = max(high, (key << 32) - j)
    key = (high + (1 << 31)) >> 32
    return low, key, (key << 32) - high


@numba.njit(cache=True, nogil=True)
def _float_of(key, word, value):  # type: ignore[no-untyped-def]
    """word [1] int32 and value [1] float32 are the same memory, to work in."""
    word[0] = key ^ ((key >> 31) & _SIGN)
    return value[0]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _between(value, floor, ceiling):  # type: ignore[no-untyped-def]
    above = value if value > floor else floor
    return above if above < ceiling else ceiling


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sums(row, scale, shift, floor, ceiling):  # type: ignore[no-untyped-def]
    """All values must be finite. Counts are floats of the values' own width: exact up to 2²⁴ positions a map."""
    first = np.float64(row[0])
    total = 0.0
    squares = 0.0
    after = 0.0
    after_squares = 0.0
    zeros, negatives, silent = _NIL, _NIL, _NIL
    for j in range(row.size):
        value = row[j]
        distance = np.float64(value) - first
        total += distance
        squares += distance * distance
        then = scale * value + shift
        through = np.float64(_between(then, floor, ceiling))
        after += through
        after_squares += through * through
        zeros += _ONE if value == _NIL else _NIL
        negatives += _ONE if value < _NIL else _NIL
        silent += _ONE if then <= _NIL else _NIL
    return first, total, squares, zeros, negatives, silent, after, after_squares


@numba.njit(cache=True, nogil=True, fastmath=True)
def _ring(row, width, scale, shift, floor, ceiling):  # type: ignore[no-untyped-def]
    """Sum of the normalised, rectified values on the outermost ring of a map of `width` columns."""
    height = row.size // width
    last = row.size - width
    total = 0.0
    for x in range(width):
        total += _between(scale * row[x] + shift, floor, ceiling)
        if height > 1:
            total += _between(scale * row[last + x] + shift, floor, ceiling)
    for y in range(1, height - 1):
        total += _between(scale * row[y * width] + shift, floor, ceiling)
        if width > 1:
            total += _between(scale * row[y * width + width - 1] + shift, floor, ceiling)
    return total


@numba.njit(cache=True, nogil=True)
def _count_lattice(row, stride, values, places, bins):  # type: ignore[no-untyped-def]
    """Every so many-th value. values float32, places [_BLOCK] int32 are room to work in."""
    if stride == 1:
        _count_bins(row, places, bins)
    else:
        count = (row.size + stride - 1) // stride
        for j in range(count):
            values[j] = row[j * stride]
        _count_bins(values[:count], places, bins)


@numba.njit(cache=True, nogil=True)
def _count_bins(row, places, bins):  # type: ignore[no-untyped-def]
    """places [_BLOCK] int32 is room to work in: the bins are found by the block, then counted."""
    words = row.view(np.int32)
    for start in range(0, words.size, _BLOCK):
        part = words[start : min(start + _BLOCK, words.size)]
        for j in range(part.size):
            word = part[j]
            size = min(max(((word & _SIGN) >> SHIFT) - LOWEST, 0), HALF - 1)
            places[j] = (size ^ (word >> 31)) + HALF
        half = part.size // 2
        for j in range(half):  # neighbours often share a bin, and would wait for each other
            bins[np.uint32(places[j])] += np.int32(1)
            bins[np.uint32(places[j + half])] += np.int32(1)
        for j in range(2 * half, part.size):
            bins[np.uint32(places[j])] += np.int32(1)


@numba.njit(cache=True, nogil=True)
def walk(maps, width, stride, scale, shift, bounds, bins, out):  # type: ignore[no-untyped-def]
    """maps [B, C, N] float32 contiguous → out [B, C, len(FIELDS)] float64; bins [C, BINS] int32 is added to.

    width : columns of a map; 0 where maps are not two-dimensional (no ring is summed)
    stride : every so many-th position is counted in the bins, see `stride_of`
    scale, shift, bounds : [C] float32 twice, [2]: what follows the conv is scale·x + shift, cut off at the bounds
    """
    floor, ceiling = bounds[0], bounds[1]
    kept = np.empty(maps.shape[2], np.float32)
    sampled = np.empty(maps.shape[2], np.float32)
    places = np.empty(_BLOCK, np.int32)
    word = np.empty(1, np.int32)
    value = word.view(np.float32)
    for c in range(maps.shape[1]):  # channel by channel, so that its bins stay near
        for i in range(maps.shape[0]):
            row = maps[i, c]
            least, greatest, place = _extremes(row)
            if greatest >= _INFINITE or least <= -_INFINITE - 1:
                row = _only_finite(maps[i, c], maps[i, c], kept)
                if row.size == 0:
                    out[i, c] = 0
                    out[i, c, 3] = out[i, c, 12] = np.inf
                    out[i, c, 4] = out[i, c, 13] = -np.inf
                    continue
                least, greatest, place = _extremes(row)
                place = _place_among_finite(maps[i, c], place)
            first, total, squares, zeros, negatives, silent, after, after_squares = _sums(
                row, scale[c], shift[c], floor, ceiling
            )
            count = row.size
            one = out[i, c]
            one[0] = count
            one[1] = first + total / count
            one[2] = max(squares - total * total / count, 0.0)
            one[3] = _float_of(least, word, value)
            one[4] = _float_of(greatest, word, value)
            one[5] = place
            one[6] = zeros
            one[7] = negatives
            one[8] = silent
            one[9] = after
            one[10] = 0.0
            if width and count == maps.shape[2]:
                one[10] = _ring(row, width, scale[c], shift[c], floor, ceiling)
            one[11] = after_squares
            ends = (
                _between(scale[c] * one[3] + shift[c], floor, ceiling),
                _between(scale[c] * one[4] + shift[c], floor, ceiling),
            )
            one[12], one[13] = min(ends), max(ends)
            _count_lattice(row, stride, sampled, places, bins[c])


@numba.njit(cache=True, nogil=True)
def _place_among_finite(row, place):  # type: ignore[no-untyped-def]
    """Where in the whole row the finite value is that stands at `place` among the finite ones."""
    seen = -1
    for j in range(row.size):
        seen += abs(row[j]) <= _LARGEST
        if seen == place:
            return j
    return -1


def stride_of(positions: int, width: int) -> int:
    """The lattice on which a map's values are counted: every so many-th, never the same columns in each row."""
    stride = max(1, positions // POSITIONS)
    while stride > 1 and width and math.gcd(stride, width) > 1:
        stride -= 1
    return stride


@numba.njit(cache=True, nogil=True)
def sum_after(after, maps, width, stride, bins, out):  # type: ignore[no-untyped-def]
    """Where an activation does more than cut off: its values [B, C, N] float32 are summed and counted instead.

    maps: the conv's own output; where that is not finite the activation's value is passed over too.
    bins [C, BINS] int32 is added to, the after-fields of out are written over.
    """
    unit, none, without = np.float32(1), np.float32(0), np.float32(np.inf)
    kept = np.empty(maps.shape[2], np.float32)
    sampled = np.empty(maps.shape[2], np.float32)
    places = np.empty(_BLOCK, np.int32)
    for c in range(after.shape[1]):
        for i in range(after.shape[0]):
            one = out[i, c]
            row = after[i, c]
            if one[0] < row.size:
                row = _only_finite(row, maps[i, c], kept)
            if row.size == 0:
                continue
            total = squares = 0.0
            low, high = np.inf, -np.inf
            for j in range(row.size):
                value = np.float64(row[j])
                total += value
                squares += value * value
                low, high = min(low, value), max(high, value)
            one[9], one[11], one[12], one[13] = total, squares, low, high
            if width and one[0] == after.shape[2]:
                one[10] = _ring(row, width, unit, none, -without, without)
            _count_lattice(row, stride, sampled, places, bins[c])


@numba.njit(cache=True, nogil=True)
def _only_finite(row, told_by, kept):  # type: ignore[no-untyped-def]
    """The values of row where told_by is finite, in the room `kept`."""
    count = 0
    for j in range(row.size):
        if abs(told_by[j]) <= _LARGEST:
            kept[count] = row[j]
            count += 1
    return kept[:count]


@numba.njit(cache=True, nogil=True)
def rows_at(maps, places, bucket, sign, width):  # type: ignore[no-untyped-def]
    """maps [B, C, N], places [P] flat positions → [B·P, width] float32: one position of one image a row, channel c
    added to column bucket[c] with its sign."""
    count = places.size
    rows = np.zeros((maps.shape[0] * count, width), np.float32)
    for i in range(maps.shape[0]):
        for c in range(maps.shape[1]):
            for p in range(count):
                rows[i * count + p, bucket[c]] += sign[c] * maps[i, c, places[p]]
    return rows


@numba.njit(cache=True, nogil=True)
def join(n, centre, spread, least, greatest, c, count, mean, m2, low, high):  # type: ignore[no-untyped-def]
    """A group of n values joins channel c: Chan, Golub and LeVeque (1979). Arrays [C] float64, changed in place."""
    total = count[c] + n
    distance = centre - mean[c]
    m2[c] += spread + distance * distance * count[c] * (n / total)
    mean[c] += distance * (n / total)
    count[c] = total
    low[c] = min(low[c], least)
    high[c] = max(high[c], greatest)


@numba.njit(cache=True, nogil=True)
def join_walked(found, count, mean, m2, low, high):  # type: ignore[no-untyped-def]
    """found [n, C, len(FIELDS)], what `walk` gives → the five arrays [C] of Moments, changed in place."""
    for c in range(found.shape[1]):
        for i in range(found.shape[0]):
            one = found[i, c]
            if one[0] > 0:
                join(one[0], one[1], one[2], one[3], one[4], c, count, mean, m2, low, high)


@numba.njit(cache=True, nogil=True)
def join_values(values, count, mean, m2, low, high):  # type: ignore[no-untyped-def]
    """values [n, C], what is not finite passed over → the five arrays of Moments, changed in place."""
    for c in range(values.shape[1]):
        for i in range(values.shape[0]):
            value = np.float64(values[i, c])
            if abs(value) <= _LARGEST:
                join(1.0, value, 0.0, value, value, c, count, mean, m2, low, high)


@numba.njit(cache=True, nogil=True)
def count_values(values, bins):  # type: ignore[no-untyped-def]
    """values [n, C] float32 → bins [C, BINS] gets one more at each finite value's bin."""
    one = np.empty(1, np.float32)
    places = np.empty(_BLOCK, np.int32)
    for c in range(values.shape[1]):
        for i in range(values.shape[0]):
            if abs(values[i, c]) <= _LARGEST:
                one[0] = values[i, c]
                _count_bins(one, places, bins[c])


@numba.njit(cache=True, nogil=True)
def insert_ranked(values, images, places, best_values, best_images, best_places):  # type: ignore[no-untyped-def]
    """Keep the k greatest of each channel, greatest first; of equal values the image of the lower number.

    values, images, places [n, C] (−inf or NaN: nothing); best_* [C, k], changed in place.
    """
    keep = best_values.shape[1]
    for c in range(values.shape[1]):
        for i in range(values.shape[0]):
            value = values[i, c]
            image = images[i, c]
            slot = keep
            while (
                value > -np.inf
                and slot > 0
                and value >= best_values[c, slot - 1]
                and (value > best_values[c, slot - 1] or image < best_images[c, slot - 1])
            ):
                slot -= 1
            if slot == keep:
                continue
            for j in range(keep - 1, slot, -1):
                best_values[c, j] = best_values[c, j - 1]
                best_images[c, j] = best_images[c, j - 1]
                best_places[c, j] = best_places[c, j - 1]
            best_values[c, slot] = value
            best_images[c, slot] = image
            best_places[c, slot] = places[i, c]
