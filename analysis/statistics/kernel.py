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

SUMS = ("zeros", "negatives", "silent", "nonfinite", "after", "border", "border_count", "inside_count", "images")
"""What `walk` adds up of each channel: values that are zero, below zero, silent after the normalisation that follows,
not finite; the normalised, rectified values over the maps and over their outermost rings; positions on these rings and
inside of them; images."""
_ZEROS, _NEGATIVES, _SILENT, _NONFINITE, _AFTER, _BORDER, _BORDER_COUNT, _INSIDE_COUNT, _IMAGES = range(len(SUMS))

_ONE, _NIL = np.float32(1), np.float32(0)
_LARGEST = np.float32(np.finfo(np.float32).max)
_ENDLESS = np.float32(np.inf)
_SIGN = 0x7FFFFFFF
_INFINITE = 0x7F800000
_BLOCK = 1024
_SOME = 64


@numba.njit(cache=True, nogil=True)
def _extremes(words, base, size):
    """Least value, greatest value, and the first place of the greatest.

    As whole numbers: a float's bits, turned round where negative, have the order of the floats: −0 just below 0, NaNs
    beyond both infinities (`low` tells of one at −2³¹, which may wrap round in `high`). The greatest is sought with its
    place in the low half of the number, less for later places. Both begin beyond every key: −2³¹ … 2³¹ − 1.
    """
    low, high = np.int64(1 << 31), np.int64(-(1 << 63))
    for j in range(size):
        word = np.int64(words[np.uintp(base + j)])
        key = word ^ ((word >> 31) & _SIGN)
        low = min(low, key)
        high = max(high, (key << 32) - j)
    key = (high + (1 << 31)) >> 32
    return low, key, (key << 32) - high


@numba.njit(cache=True, nogil=True, fastmath=True)
def _between(value, floor, ceiling):
    above = value if value > floor else floor
    return above if above < ceiling else ceiling


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sums(values, base, size, scale, shift, floor, ceiling):
    """All values must be finite. Counts are floats of the values' own width: exact up to 2²⁴ positions a map."""
    first = np.float64(values[np.uintp(base)])
    total = 0.0
    squares = 0.0
    after = 0.0
    after_squares = 0.0
    zeros, negatives, silent = _NIL, _NIL, _NIL
    for j in range(size):
        value = values[np.uintp(base + j)]
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
def _sums_of(values, base, size):
    """Sum, sum of squares, least, greatest; all values must be finite."""
    total = squares = 0.0
    low = high = values[np.uintp(base)]
    for j in range(size):
        value = values[np.uintp(base + j)]
        total += np.float64(value)
        squares += np.float64(value) * np.float64(value)
        low, high = min(low, value), max(high, value)
    return total, squares, low, high


@numba.njit(cache=True, nogil=True, fastmath=True)
def _ring(values, base, size, width, scale, shift, floor, ceiling):
    """Sum of the normalised, rectified values on the outermost ring of a map of `width` columns."""
    height = size // width
    last = base + size - width
    total = 0.0
    for x in range(width):
        total += _between(scale * values[np.uintp(base + x)] + shift, floor, ceiling)
    if height > 1:
        for x in range(width):
            total += _between(scale * values[np.uintp(last + x)] + shift, floor, ceiling)
    for y in range(1, height - 1):
        total += _between(scale * values[np.uintp(base + y * width)] + shift, floor, ceiling)
    if width > 1:
        for y in range(1, height - 1):
            total += _between(scale * values[np.uintp(base + y * width + width - 1)] + shift, floor, ceiling)
    return total


@numba.njit(cache=True, nogil=True)
def _count(words, base, size, stride, places, bins, c):
    """Every so many-th value goes into channel c's bins. places [_BLOCK] int32 is room to work in: the bins are found
    by the block, then counted."""
    count = (size + stride - 1) // stride
    row = bins[c]
    least, most = np.int32(LOWEST), np.int32(HALF - 1)
    for start in range(0, count, _BLOCK):
        part = min(count - start, _BLOCK)
        for j in range(part):
            word = words[np.uintp(base + (start + j) * stride)]
            distance = ((word & np.int32(_SIGN)) >> np.int32(SHIFT)) - least
            distance = min(max(distance, np.int32(0)), most)
            places[np.uintp(j)] = (distance ^ (word >> np.int32(31))) + np.int32(HALF)
        half = part // 2
        for j in range(half):  # neighbours often share a bin, and would wait for each other
            row[np.uintp(places[np.uintp(j)])] += 1
            row[np.uintp(places[np.uintp(j + half)])] += 1
        for j in range(2 * half, part):
            row[np.uintp(places[np.uintp(j)])] += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def walk(  # noqa: PLR0915 -- a call that passes arrays costs as much as a small map
    maps, after, shape, follow, places, states, counted, images, rows
):
    """maps [B, C, N] float32 contiguous: all that is known of them goes where it is kept, each array changed in place.

    after  : [B, C, N] the same after an activation that does more than cut off; of 0 images elsewhere
    shape  : columns of a map (0 where maps are not two-dimensional: no ring is summed), and the stride on which
             positions are counted, see `stride_of`
    follow : scale, shift [C] float32, bounds [2]: what follows the conv is scale·x + shift, cut off at the bounds
    places : [P] int64 flat positions that go into rows; bucket [C], sign [C]: to which column, and with which sign
    states : tables [5, C] of Moments of maps and of what follows, sums [len(SUMS), C], all float64
    counted: bins [C, BINS] of maps, and of what follows where that can not be told from those of maps
    images : peaks, means, means after [C, n] float64, places [C, n] int64 of each image, n ≥ start + B, and the start
    rows   : [columns, B·P] float32, zeros: the channels at P positions of each image

    Rows are passed to the inner loops as a place in one array: a view of each would cost as much as a map of 49.
    """
    width, stride = shape
    scale, shift, bounds = follow
    of_maps, of_after, sums = states
    bins, bent = counted
    peaks, means, after_means, where, start = images
    batch, channels, size = maps.shape
    ring = _ring_size(size, width)
    values, then = maps.reshape(-1), after.reshape(-1)
    words, then_words = values.view(np.int32), then.view(np.int32)
    kept, binned = np.empty(size, np.float32), np.empty(_BLOCK, np.int32)
    kept_words = kept.view(np.int32)
    own, own_after, tally = np.empty(5), np.empty(5), np.empty(len(SUMS))
    for c in range(channels):  # channel by channel, so that what is kept of it stays near
        _begin(own)
        _begin(own_after)
        tally[:] = 0.0
        for i in range(batch):
            base, count = (i * channels + c) * size, size
            least, greatest, place = _extremes(words, base, size)
            odd = greatest >= _INFINITE or least <= -_INFINITE - 1
            if odd:
                count = _only_finite(values, base, size, words, base, kept)
                tally[_NONFINITE] += size - count
                if count == 0:
                    _take_row(values, base, places, c, i, rows)
                    peaks[c, start + i] = means[c, start + i] = after_means[c, start + i] = np.nan
                    where[c, start + i] = -1
                    continue
                least, greatest, place = _extremes(kept_words, 0, count)
                place = _place_among_finite(words, base, size, place)
                found = _sums(kept, 0, count, scale[c], shift[c], bounds[0], bounds[1])
                _count(kept_words, 0, count, stride, binned, bins, c)
            else:
                found = _sums(values, base, size, scale[c], shift[c], bounds[0], bounds[1])
                _count(words, base, size, stride, binned, bins, c)
            _take_row(values, base, places, c, i, rows)
            first, total, squares, zeros, negatives, silent, through, through_squares = found
            binned[0], binned[1] = least ^ ((least >> 31) & _SIGN), greatest ^ ((greatest >> 31) & _SIGN)
            ends = binned.view(np.float32)
            low, high = ends[0], ends[1]
            mean = first + total / count
            _join(count, mean, max(squares - total * total / count, 0.0), low, high, own)
            peaks[c, start + i], means[c, start + i], where[c, start + i] = high, mean, place
            border = 0.0
            if then.size:
                if odd:
                    _only_finite(then, base, size, words, base, kept)
                    through, through_squares, low, high = _sums_of(kept, 0, count)
                    _count(kept_words, 0, count, stride, binned, bent, c)
                else:
                    through, through_squares, low, high = _sums_of(then, base, size)
                    _count(then_words, base, size, stride, binned, bent, c)
                    border = _ring(then, base, size, width, _ONE, _NIL, -_ENDLESS, _ENDLESS) if ring else 0.0
            else:
                one = _between(scale[c] * low + shift[c], bounds[0], bounds[1])
                other = _between(scale[c] * high + shift[c], bounds[0], bounds[1])
                low, high = min(one, other), max(one, other)
                if ring and not odd:
                    border = _ring(values, base, size, width, scale[c], shift[c], bounds[0], bounds[1])
            after_mean = through / count
            after_means[c, start + i] = after_mean
            _join(count, after_mean, max(through_squares - through * after_mean, 0.0), low, high, own_after)
            tally[_ZEROS] += zeros
            tally[_NEGATIVES] += negatives
            tally[_SILENT] += silent
            tally[_AFTER] += through
            if ring and not odd:  # the ring is that of maps without a value that is not finite
                tally[_BORDER] += border
                tally[_BORDER_COUNT] += ring
                tally[_INSIDE_COUNT] += size - ring
        tally[_IMAGES] = batch
        _join_table(own, of_maps, c)
        _join_table(own_after, of_after, c)
        for k in range(len(SUMS)):
            sums[k, c] += tally[k]


@numba.njit(cache=True, nogil=True)
def _take_row(values, base, places, c, i, rows):
    spots, bucket, sign = places
    if spots.size:
        row = rows[bucket[c]]
        for p in range(spots.size):
            row[np.uintp(i * spots.size + p)] += sign[c] * values[np.uintp(base + spots[np.uintp(p)])]


@numba.njit(cache=True, nogil=True)
def _only_finite(values, base, size, told_by, told_base, kept):
    """The values of a map where told_by (their bits, or another map's) is finite, into `kept`; how many these are."""
    count = 0
    for j in range(size):
        if (told_by[told_base + j] & _SIGN) < _INFINITE:
            kept[count] = values[base + j]
            count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _begin(moments):
    moments[:3] = 0.0
    moments[3], moments[4] = np.inf, -np.inf


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _join(n, centre, spread, least, greatest, moments):
    """A group of n values joins the moments [5] (see Moments): Chan, Golub and LeVeque (1979)."""
    total = moments[0] + n
    share = n / total
    distance = centre - moments[1]
    moments[2] += spread + distance * distance * moments[0] * share
    moments[1] += distance * share
    moments[0] = total
    moments[3] = min(moments[3], least)
    moments[4] = max(moments[4], greatest)


@numba.njit(cache=True, nogil=True)
def _join_table(moments, table, c):
    """What was gathered of channel c joins Moments' table [5, C]."""
    if moments[0] > 0:
        held = table[:, c].copy()
        _join(moments[0], moments[1], moments[2], moments[3], moments[4], held)
        table[:, c] = held


@numba.njit(cache=True, nogil=True)
def _ring_size(size, width):
    """Positions on the outermost ring of a map of so many in rows of `width`; 0 without rows."""
    if width == 0:
        return 0
    return size - max(size // width - 2, 0) * max(width - 2, 0)


@numba.njit(cache=True, nogil=True)
def _place_among_finite(words, base, size, place):
    """Where in the whole map the finite value is that stands at `place` among the finite ones."""
    seen = -1
    for j in range(size):
        seen += (words[base + j] & _SIGN) < _INFINITE
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
def join_values(values, table):
    """values [C, n], what is not finite passed over → Moments' table [5, C]."""
    own = np.empty(5)
    for c in range(values.shape[0]):
        _begin(own)
        for i in range(values.shape[1]):
            value = values[c, i]
            if abs(value) <= _LARGEST:
                _join(1.0, value, 0.0, value, value, own)
        _join_table(own, table, c)


@numba.njit(cache=True, nogil=True)
def count_values(values, bins):
    """values [C, n] float32 → bins [C, BINS] gets one more at each finite value's bin."""
    places, kept = np.empty(_BLOCK, np.int32), np.empty(values.shape[1], np.float32)
    for c in range(values.shape[0]):
        words = values[c].view(np.int32)
        count = _only_finite(values[c], 0, values.shape[1], words, 0, kept)
        _count(kept.view(np.int32), 0, count, 1, places, bins, c)


@numba.njit(cache=True, nogil=True)
def filled_bins(bins):
    """bins [C, BINS] → where each channel's filled bins begin [C + 1], which they are, how many each holds."""
    channels, size = bins.shape
    starts = np.zeros(channels + 1, np.int64)
    places = np.empty(64 * channels + size, np.uint16)
    counts = np.empty(64 * channels + size, np.int64)
    filled = 0
    for c in range(channels):
        if filled + size > places.size:
            places = np.concatenate((places, np.empty_like(places)))
            counts = np.concatenate((counts, np.empty_like(counts)))
        for block in range(0, size, _SOME):  # most are empty: a glance at many together
            part = bins[c, block : block + _SOME]
            held = part[0]
            for j in range(part.size):
                held |= part[j]
            if held:
                for j in range(part.size):
                    if part[j]:
                        places[filled] = block + j
                        counts[filled] = part[j]
                        filled += 1
        starts[c + 1] = filled
    return starts, places[:filled], counts[:filled]


@numba.njit(cache=True, nogil=True)
def insert_ranked(values, sign, images, places, best_values, best_images, best_places):
    """Keep the k greatest of each channel, greatest first; of equal values the image of the lower number.

    values, places [C, n] (infinite or NaN: nothing), images [C or 1, n], best_* [C, k], changed in place.
    sign : 1, or −1 to keep the least
    """
    keep = best_values.shape[1]
    for c in range(values.shape[0]):
        own = min(c, images.shape[0] - 1)
        for i in range(values.shape[1]):
            value = sign * values[c, i]
            if not value >= best_values[c, keep - 1] or value == -np.inf:
                continue
            image = images[own, i]
            slot = keep
            while slot > 0 and (
                value > best_values[c, slot - 1]
                or (value == best_values[c, slot - 1] and image < best_images[c, slot - 1])
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
            best_places[c, slot] = places[c, i]
