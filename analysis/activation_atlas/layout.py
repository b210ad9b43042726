"""Vectors laid out in a plane, and the plane cut into cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

KEPT = 50
"""Principal components that t-SNE is given."""
TRIMMED = 0.02
"""Share of the places at each end of an axis that are moved into the outermost cells: a few stray far."""
A_CELL = 12
"""Vectors that a cell should hold on average, where there are too few for the cells that were asked for."""
HIGH = 0.42
"""Rows of cells a column: what is left of a screen is wide, and the directions of the layout have no unit."""


def lay_out(vectors: np.ndarray) -> np.ndarray:
    """[n, K] → [n, 2] in the unit square: those that point the same way lie close.

    t-SNE (van der Maaten and Hinton, 2008) of the vectors at length 1, whose squared distance is 2 − 2·cosine, begun
    at their first two principal components so that it is not turned by chance.
    """
    from sklearn.manifold import TSNE

    ways = vectors.astype(np.float64)
    ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-12)
    ways -= ways.mean(axis=0)
    left, sizes, _ = np.linalg.svd(ways, full_matrices=False)
    signs = np.sign(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])])
    components = (left * signs * sizes)[:, :KEPT]
    if components.shape[1] < 2:
        components = np.column_stack([components, np.zeros(len(components))])
    places = components[:, :2]
    if len(components) > 5:
        made = TSNE(
            init=places / max(places[:, 0].std(), 1e-12) * 1e-4,
            perplexity=min(30.0, (len(components) - 1) / 3),
            random_state=0,
            n_jobs=1,
        )
        places = made.fit_transform(components)
    low, high = np.quantile(places, [TRIMMED, 1 - TRIMMED], axis=0)
    return np.clip((places - low) / np.where(high > low, high - low, 1), 0, 1)


@dataclass(frozen=True)
class Cell:
    """column, row : its place on the grid, from the upper left
    members        : the vectors that lie in it
    """

    column: int
    row: int
    members: np.ndarray


def grid_for(count: int, wanted: int) -> tuple[int, int]:
    """(columns, rows): as many columns as wanted, or fewer where `count` vectors would leave most cells empty."""
    columns = max(1, min(wanted, round(math.sqrt(count / A_CELL / HIGH))))
    return columns, max(1, round(HIGH * columns))


def cut(places: np.ndarray, grid: tuple[int, int], fewest: int) -> list[Cell]:
    """[n, 2] in the unit square → the cells that hold at least `fewest` of them, row by row."""
    numbers = np.minimum((places * grid).astype(int), np.array(grid) - 1)
    cells = []
    for number in np.unique(numbers[:, 1] * grid[0] + numbers[:, 0]):
        row, column = divmod(int(number), grid[0])
        members = np.flatnonzero((numbers[:, 0] == column) & (numbers[:, 1] == row))
        if len(members) >= fewest:
            cells.append(Cell(column, row, members))
    return cells
