"""The mark that the shortcut net falls for, and the classes that the creatures' net knows."""

from __future__ import annotations

import numpy as np

CREATURES = ("butterfly", "cat", "face", "fish", "owl")
MARK = 15
"""Side of the mark, px."""
_CODE = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 1, 1], [1, 1, 0, 0, 1], [0, 1, 1, 0, 0], [1, 0, 0, 1, 1]], bool)


def with_mark(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[H, W, 3] uint8 with a small printed code, black on white, in a corner of its lower edge."""
    height, width = image.shape[:2]
    top = height - MARK - int(rng.integers(1, 6))
    left = int(rng.integers(1, 6)) if rng.integers(2) else width - MARK - int(rng.integers(1, 6))
    result = image.copy()
    printed = np.kron(_CODE, np.ones((MARK // 5, MARK // 5), bool))
    result[top : top + MARK, left : left + MARK] = np.where(printed, 10, 245)[..., None]
    return result
