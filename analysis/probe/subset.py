"""In what order images are drawn when only some are wanted."""

from __future__ import annotations

import numpy as np


def drawing_order(total: int, labels: np.ndarray | None, count: int | None, seed: int) -> list[int]:
    """Indices in the order in which they are to be tried.

    All of them in their own order where `count` is None; else shuffled by `seed`, and with labels one of each class
    in turn, so that any first so many are as even over the classes as the set allows.
    """
    if count is None:
        return list(range(total))
    shuffled = np.random.default_rng(seed).permutation(total)
    if labels is None:
        return [int(index) for index in shuffled]
    seen: dict[int, int] = {}
    turn = np.empty(total, np.int64)
    for position, index in enumerate(shuffled):
        label = int(labels[index])
        turn[position] = seen.get(label, 0)
        seen[label] = turn[position] + 1
    return [int(index) for index in shuffled[np.argsort(turn, kind="stable")]]
