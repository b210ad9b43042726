"""One layout turned onto another, as far as turning, mirroring and scaling can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import orthogonal_procrustes

SHUFFLES = 199
SURE = 0.05
"""Share of shuffled pairings that may fit as well before a fit says nothing."""


@dataclass(frozen=True)
class Fit:
    """places    : [m, 2] all of the second layout, turned, mirrored, scaled to the first's spread and moved onto it
    explained : share of the pairs' spread that the best turn explains, 0 … 1; 1: the same layout
    chance    : what one in twenty pairings shuffled at random reaches or exceeds
    p         : share of pairings, shuffled and real, that fit at least as well as the real
    pairs     : how many pairs it rests on
    """

    places: np.ndarray
    explained: float
    chance: float
    p: float
    pairs: int

    @property
    def sure(self) -> bool:
        return self.p <= SURE


def align(first: np.ndarray, second: np.ndarray, pairs: np.ndarray, seed: int = 0) -> Fit:
    """Orthogonal Procrustes (Schönemann 1966; scipy.linalg.orthogonal_procrustes) with its permutation null (Peres-Neto
    and Jackson 2001, PROTEST).

    first [n, 2], second [m, 2], pairs [k, 2] rows of the one and the other that belong together. Where fewer than
    three pairs are given, or these have no spread, nothing is turned and p is 1.
    """
    a, b = first[pairs[:, 0]], second[pairs[:, 1]]
    if len(pairs) < 3 or not (np.ptp(a, axis=0).any() and np.ptp(b, axis=0).any()):
        return Fit(second, 0.0, 0.0, 1.0, len(pairs))
    middle_a, middle_b = a.mean(axis=0), b.mean(axis=0)
    a, b = a - middle_a, b - middle_b
    turn, sum_of_values = orthogonal_procrustes(b, a)
    whole = np.linalg.norm(a) * np.linalg.norm(b)
    draw = np.random.default_rng(seed)
    shuffled = [orthogonal_procrustes(draw.permutation(b), a)[1] / whole for _ in range(SHUFFLES)]
    explained, null = (sum_of_values / whole) ** 2, np.square(shuffled)
    # scaled to the same spread and not by least squares, which would shrink a layout that fits badly to a point
    moved = (second - middle_b) @ turn * (np.linalg.norm(a) / np.linalg.norm(b)) + middle_a
    as_good = (1 + np.count_nonzero(null >= explained)) / (1 + SHUFFLES)
    return Fit(moved, float(explained), float(np.quantile(null, 0.95)), float(as_good), len(pairs))
