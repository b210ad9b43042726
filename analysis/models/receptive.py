"""What part of the input each number of a tensor sees, followed operator by operator.

A tensor carries a `Sight`: position (i₁ … iₙ) sees the input rows from Σ rate·i + low to Σ rate·i + high, and columns
likewise. Convolution and pooling widen the interval and multiply the rate (Araujo et al. 2019, "Computing Receptive
Fields of Convolutional Neural Networks"); views, slices and permutations only move the rates about, which is why
each dimension keeps the factors that it was merged from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

Pair = tuple[float, float]  # (rows, columns)


@dataclass(frozen=True)
class Factor:
    """A stretch of `size` indices, each step of which moves what is seen by `rate` px of the input."""

    size: int
    rate: Pair = (0.0, 0.0)


Dim = tuple[Factor, ...]  # outermost first; a dimension is the product of its factors


def _plus(first: Pair, second: Pair) -> Pair:
    return first[0] + second[0], first[1] + second[1]


def _times(rate: Pair, number: float) -> Pair:
    return rate[0] * number, rate[1] * number


@dataclass(frozen=True)
class Sight:
    """Which px of the input the positions of a tensor see. low and high are inclusive."""

    dims: tuple[Dim, ...]
    low: Pair = (0.0, 0.0)
    high: Pair = (0.0, 0.0)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(math.prod(factor.size for factor in dim) for dim in self.dims)

    def shift(self, low: Pair, high: Pair) -> Sight:
        """Widened by `low` at the first end and `high` at the other."""
        return replace(self, low=_plus(self.low, low), high=_plus(self.high, high))

    def span(self, rate: Pair, first: float, last: float) -> Sight:
        """Widened to what the indices first … last of a dimension with this rate see together."""
        ends = [_times(rate, first), _times(rate, last)]
        low = min(ends[0][0], ends[1][0]), min(ends[0][1], ends[1][1])
        high = max(ends[0][0], ends[1][0]), max(ends[0][1], ends[1][1])
        return self.shift(low, high)

    def with_dim(self, dim: int, *factors: Factor) -> Sight:
        return replace(self, dims=(*self.dims[:dim], tuple(factors), *self.dims[dim + 1 :]))

    def flat(self, dim: int) -> Sight:
        """With one factor in this dimension: factors that do not line up are seen as one even stretch, widened."""
        sight, factors = self, list(self.dims[dim])
        while len(factors) > 1:
            inner, outer = factors.pop(), factors.pop()
            rate = _times(outer.rate, 1 / inner.size)
            error = inner.rate[0] - rate[0], inner.rate[1] - rate[1]
            sight = sight.span(error, 0, inner.size - 1)
            factors.append(Factor(outer.size * inner.size, rate))
        return sight.with_dim(dim, *(factors or [Factor(1)]))

    def collapse(self, dim: int, size: int = 1) -> Sight:
        """Every position of this dimension now sees what all of its positions saw together."""
        sight = self
        for factor in self.dims[dim]:
            sight = sight.span(factor.rate, 0, factor.size - 1)
        return sight.with_dim(dim, Factor(size))

    def window(self, dim: int, kernel: int, stride: float, padding: float, dilation: int, size: int) -> Sight:
        """After a sliding window (convolution, pooling) along this dimension."""
        sight = self.flat(dim)
        rate = sight.dims[dim][0].rate
        sight = sight.span(rate, -padding, dilation * (kernel - 1) - padding)
        return sight.with_dim(dim, Factor(size, _times(rate, stride)))

    def spread(self, dim: int, kernel: int, stride: int, padding: int, dilation: int, size: int) -> Sight:
        """After a transposed convolution: output o sees the inputs i with o = i·stride − padding + k·dilation."""
        sight = self.flat(dim)
        rate = _times(sight.dims[dim][0].rate, 1 / stride)
        sight = sight.span(rate, padding - dilation * (kernel - 1), padding)
        return sight.with_dim(dim, Factor(size, rate))

    def select(self, dim: int, index: int) -> Sight:
        sight = self.take(dim, index, 1, 1)
        return replace(sight, dims=(*sight.dims[:dim], *sight.dims[dim + 1 :]))

    def take(self, dim: int, start: int, step: int, size: int) -> Sight:
        sight = self.flat(dim)
        rate = sight.dims[dim][0].rate
        return sight.span(rate, start, start).with_dim(dim, Factor(size, _times(rate, step)))

    def permute(self, order: Sequence[int]) -> Sight:
        return replace(self, dims=tuple(self.dims[dim] for dim in order))

    def view(self, shape: Sequence[int]) -> Sight:
        """Reshaped: the same factors, cut anew. Where they can not be cut so, everything sees everything."""
        factors = [factor for dim in self.dims for factor in dim if factor.size != 1]
        dims: list[Dim] = []
        for size in shape:
            dim: list[Factor] = []
            need = size
            while need > 1:
                if not factors:
                    return self.blur(shape)
                factor = factors.pop(0)
                if factor.size > need:
                    if factor.size % need:
                        return self.blur(shape)
                    rest = factor.size // need
                    factors.insert(0, Factor(rest, factor.rate))
                    factor = Factor(need, _times(factor.rate, rest))
                elif need % factor.size:
                    return self.blur(shape)
                dim.append(factor)
                need //= factor.size
            dims.append(tuple(dim) or (Factor(size),))
        return replace(self, dims=tuple(dims))

    def blur(self, shape: Sequence[int]) -> Sight:
        """Some tensor of this shape, each position of which sees all that any position of this one saw."""
        sight = self
        for dim in range(len(self.dims)):
            sight = sight.collapse(dim)
        return replace(sight, dims=tuple((Factor(size),) for size in shape))


def merge(sights: Sequence[Sight], shape: Sequence[int]) -> Sight:
    """Several tensors, broadcast to `shape`, met number by number.

    An operand that holds one value for the whole map (a squeeze-and-excitation gate, a global vector) carries no
    place: beside an operand that does, it does not count. Otherwise every channel behind a gate would see all.
    """
    padded = []
    for sight in sights:
        missing = len(shape) - len(sight.dims)
        padded.append(replace(sight, dims=((Factor(1),),) * missing + sight.dims))
    spatial = [dim for dim in range(len(shape)) if any(f.rate != (0.0, 0.0) for s in padded for f in s.dims[dim])]
    placed = [sight for sight in padded if all(sight.shape[dim] == shape[dim] for dim in spatial)]
    if not placed:
        return padded[0].blur(shape)
    if any(sight.dims[dim] != placed[0].dims[dim] for sight in placed for dim in spatial):
        placed = [_flat(sight, spatial) for sight in placed]
    base = max(placed, key=lambda sight: sum(sum(factor.rate) for dim in sight.dims for factor in dim))
    for sight in placed:
        base = _union(base, sight, spatial)
    dims = tuple(base.dims[dim] if dim in spatial else (Factor(shape[dim]),) for dim in range(len(shape)))
    return replace(base, dims=dims)


def _flat(sight: Sight, dims: Sequence[int]) -> Sight:
    for dim in dims:
        sight = sight.flat(dim)
    return sight


def _union(base: Sight, other: Sight, dims: Sequence[int]) -> Sight:
    """`base`, widened until it sees what `other` sees at the same position."""
    for dim in dims:
        for mine, theirs in zip(base.dims[dim], other.dims[dim], strict=True):
            error = theirs.rate[0] - mine.rate[0], theirs.rate[1] - mine.rate[1]
            other = other.span(error, 0, mine.size - 1)
    low = min(base.low[0], other.low[0]), min(base.low[1], other.low[1])
    high = max(base.high[0], other.high[0]), max(base.high[1], other.high[1])
    return replace(base, low=low, high=high)
