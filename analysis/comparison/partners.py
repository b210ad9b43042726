"""Which channel of one layer is which of another, by how they answer the same images."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

SHUFFLES = 199
SURE = 0.95
"""A pair counts where its correlation exceeds that of this share of the best matches among shuffled images."""


def partners(first: np.ndarray, second: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Answers [n, A] and [n, B] to the same n images → one row a pair: `first`, `second`, `correlation`, the sure ones.

    One to one, so that the sum of the correlations is greatest (the bipartite matching of Li, Yosinski, Clune,
    Lipson, Hopcroft 2015, Convergent Learning). The null shuffles the images of one side and matches again.
    """
    columns = {"first": int, "second": int, "correlation": float}
    if len(first) < 3 or not first.shape[1] or not second.shape[1]:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    ways_a, ways_b = _standard(first), _standard(second)
    shuffled = ways_a.T @ np.random.default_rng(seed).permutation(ways_b)
    chance = shuffled[linear_sum_assignment(shuffled, maximize=True)]
    alike = ways_a.T @ ways_b
    rows, partner = linear_sum_assignment(alike, maximize=True)
    table = pd.DataFrame({"first": rows, "second": partner, "correlation": alike[rows, partner]})
    return table[table["correlation"] > np.quantile(chance, SURE)].reset_index(drop=True)


def same_numbers(first: np.ndarray, second: np.ndarray, seed: int = 0) -> bool:
    """Answers [n, C] of both to the same n images → whether channel k of one is still channel k of the other: the mean
    correlation of equal numbers exceeds that of SURE of the pairings shuffled at random."""
    if first.shape != second.shape or len(first) < 3 or first.shape[1] < 3:
        return False
    alike = _standard(first).T @ _standard(second)
    draw = np.random.default_rng(seed)
    rows = np.arange(len(alike))
    shuffled = [alike[rows, draw.permutation(len(alike))].mean() for _ in range(SHUFFLES)]
    return bool(alike.diagonal().mean() > np.quantile(shuffled, SURE))


def _standard(answers: np.ndarray) -> np.ndarray:
    """[n, C] → columns without mean, of length 1; zeros where a channel does not vary, or has no answer."""
    known = np.isfinite(answers)
    mean = answers.sum(axis=0, where=known, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)
    apart = np.where(known, answers - mean, 0)
    lengths = np.linalg.norm(apart, axis=0)
    made: np.ndarray = apart / np.where(lengths > 1e-12 * max(1.0, float(lengths.max())), lengths, np.inf)
    return made
