"""What labels add: which classes drive a channel, how selective it is, how well a layer tells classes apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.statistics.class_sums import ClassSums
from analysis.statistics.layer_state import LayerState


def selectivity(means: np.ndarray) -> np.ndarray:
    """means [K, C] of each class after the activation → [C] in [0, 1]: (best − mean of the others) ÷ their sum.

    Morcos et al., “On the importance of single directions”, ICLR 2018. NaN with fewer than two classes, where a mean is
    negative (the formula is for rectified activations) and where all are 0.
    """
    if len(means) < 2:
        return np.full(means.shape[1], np.nan)
    best = means.max(axis=0)
    others = (means.sum(axis=0) - best) / (len(means) - 1)
    defined = (means.min(axis=0) >= 0) & (best > 0)
    return np.divide(best - others, best + others, out=np.full(means.shape[1], np.nan), where=defined)


@dataclass(frozen=True)
class CentroidAccuracy:
    """accuracy: share of the images nearest to their own class's centroid; of so many images and classes."""

    accuracy: float
    images: int
    classes: int


def nearest_centroid(state: LayerState) -> CentroidAccuracy | None:
    """How often the nearest class centroid is the right one (Euclidean, means after the activation over space).

    Each of the drawn images is left out of its own class's centroid, so nothing is tested on what it was made of.
    None without two classes, or without a class of two images.
    """
    drawn, classes = state.drawn, state.classes
    labels, centroids = classes.means()
    testable = np.array([classes.counts.get(int(label), 0) > 1 for label in drawn.labels], bool)
    testable &= np.isfinite(drawn.means).all(axis=1)
    if len(labels) < 2 or not testable.any():
        return None
    rows, own = drawn.means[testable].astype(np.float64), np.searchsorted(labels, drawn.labels[testable])
    distances = (rows**2).sum(1)[:, None] - 2 * rows @ centroids.T + (centroids**2).sum(1)
    counts = np.array([classes.counts[int(label)] for label in labels])[own]
    without = (centroids[own] * counts[:, None] - rows) / (counts - 1)[:, None]
    distances[np.arange(len(rows)), own] = ((rows - without) ** 2).sum(1)
    return CentroidAccuracy(float((distances.argmin(1) == own).mean()), len(rows), len(labels))


def driving_classes(
    classes: ClassSums, names: tuple[str, ...], most: int = 5
) -> tuple[list[list[str]], list[list[float]]]:
    """Per channel the names of the classes with the greatest mean after the activation, and these means."""
    labels, means = classes.means()
    order = np.argsort(-means, axis=0, kind="stable")[:most]
    known = [names[label] if label < len(names) else str(label) for label in labels.tolist()]
    return (
        [[known[row] for row in order[:, channel]] for channel in range(means.shape[1])],
        [means[order[:, channel], channel].tolist() for channel in range(means.shape[1])],
    )
