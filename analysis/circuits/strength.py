"""How strongly a layer or head reads each channel before it: the kernels between them, batch normalisations folded in.

Olah et al. 2020, "Zoom In: An Introduction to Circuits" (distill.pub/2020/circuits/zoom-in): a channel is understood
from the weights between it and the channels before and after it. Voss et al. 2021, "Visualizing Weights".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from analysis.models.wiring import Reader


@dataclass(frozen=True)
class Strengths:
    """Of one reader with o channels, that is fed by n channels of other layers.

    source, channel : [n] number of the layer that feeds it, number of that layer's channel
    """

    reader: Reader
    gain: np.ndarray
    source: np.ndarray
    channel: np.ndarray
    _at: (
        np.ndarray
    )  # of each wire: the input that it ends in, its factor, which of the n it comes from; sorted by these
    _scale: np.ndarray
    _fed_by: np.ndarray

    @cached_property
    def power(self) -> np.ndarray:
        """[o, n] float32: sum of the squared weights between them. Its root is the strength."""
        each = (self._weights.astype(np.float64) ** 2).reshape(*self._weights.shape[:2], -1).sum(axis=2)
        outs, per = each.shape
        wide = (outs, self.reader.groups * per)
        where = np.repeat(np.arange(outs), per), (self._first[:, None] + np.arange(per)).ravel()
        reads = sparse.csr_matrix((each.ravel(), where), shape=wide)
        wires = sparse.csr_matrix((self._scale**2, (self._at, self._fed_by)), shape=(wide[1], len(self.source)))
        return np.asarray((reads @ wires).toarray() * self.gain[:, None] ** 2, np.float32)

    def kernels(self, outs: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """The weights between channel outs[r] of the reader and what feeds it, pairs[r]: [r, height, width].

        Where one channel feeds several inputs the kernels stand one below the other; single weights, as of a linear
        layer that reads a whole map, are laid out as that map.
        """
        starts = np.searchsorted(self._fed_by, np.arange(len(self.source) + 1))
        most = int(np.diff(starts)[pairs].max(initial=1))
        per = self._weights.shape[1]
        found = np.zeros((len(pairs), most, *self._weights.shape[2:]), np.float32)
        for place in range(most):
            wire = np.minimum(starts[pairs] + place, len(self._at) - 1)
            inside = self._at[wire] - self._first[outs]
            there = (starts[pairs] + place < starts[pairs + 1]) & (inside >= 0) & (inside < per)
            weights = self._weights[outs[there], inside[there]]
            factor = self._scale[wire[there]] * self.gain[outs[there]]
            found[there, place] = weights * factor.reshape(-1, *[1] * (weights.ndim - 1))
        return _laid_out(found)

    @cached_property
    def _weights(self) -> np.ndarray:
        return np.nan_to_num(self.reader.weights, nan=0, posinf=0, neginf=0)

    @cached_property
    def _first(self) -> np.ndarray:
        """[o] the first input that each channel's group reads."""
        outs, per = self._weights.shape[:2]
        return np.arange(outs) // (outs // self.reader.groups) * per


def strengths_of(reader: Reader, gain: np.ndarray) -> Strengths:
    """gain [o]: how what follows the reader's channels scales them (its batch normalisation), its sign left out."""
    wires = reader.wires
    found, fed_by = np.unique(np.stack([wires.source, wires.channel]), axis=1, return_inverse=True)
    places, place_of = np.unique(np.stack([fed_by.ravel(), wires.at]), axis=1, return_inverse=True)
    scale = np.bincount(place_of.ravel(), wires.scale, minlength=places.shape[1])
    return Strengths(reader, np.abs(gain), found[0], found[1], places[1], scale, places[0])


def _laid_out(kernels: np.ndarray) -> np.ndarray:
    """[r, m, …] → [r, height, width]."""
    rows, count = kernels.shape[:2]
    inner = math.prod(kernels.shape[2:])
    if inner == 1:
        side = math.isqrt(count)
        return kernels.reshape(rows, side, side) if side * side == count else kernels.reshape(rows, 1, count)
    return kernels.reshape(rows, count * (inner // kernels.shape[-1]), kernels.shape[-1])
