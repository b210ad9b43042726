"""What labels add: which classes drive a channel, how selective it is, how well a layer tells classes apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.statistics.class_sums import ClassSums
from analysis.statistics.layer_state import LayerState


def selectivity(means: np.ndarray) -> np.ndarray:
    """means [K, C] of each class after the activation → [C] in [0, 1]: (best − mean of the others) ÷ their sum.

    Morcos et al., “On the importance of single directions”, ICLR 2018. Of the classes whose mean is known, not NaN. NaN
    with fewer than two, where a mean is negative (the formula is for rectified activations) and where all are 0.
    """
    known = ~np.isnan(means)
    best = means.max(axis=0, where=known, initial=0)
    others = (means.sum(axis=0, where=known) - best) / np.maximum(known.sum(axis=0) - 1, 1)
    defined = (known.sum(axis=0) > 1) & (means.min(axis=0, where=known, initial=np.inf) >= 0) & (best > 0)
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
    Images and classes of which a channel has no finite value are not told. None without two classes, or without a class
    of two images.
    """
    drawn, classes = state.drawn, state.classes.arrays()
    whole = (classes["counts"] > 0).all(axis=1)
    labels, counts, sums = (classes[name][whole] for name in ("labels", "counts", "sums"))
    testable = np.isin(drawn.labels, labels[(counts > 1).all(axis=1)]) & np.isfinite(drawn.means).all(axis=1)
    if len(labels) < 2 or not testable.any():
        return None
    centroids = sums / counts
    rows, own = drawn.means[testable].astype(np.float64), np.searchsorted(labels, drawn.labels[testable])
    distances = (rows**2).sum(1)[:, None] - 2 * rows @ centroids.T + (centroids**2).sum(1)
    without = (sums[own] - rows) / (counts[own] - 1)
    distances[np.arange(len(rows)), own] = ((rows - without) ** 2).sum(1)
    return CentroidAccuracy(float((distances.argmin(1) == own).mean()), len(rows), len(labels))


def driving_classes(
    classes: ClassSums, names: tuple[str, ...], most: int = 5
) -> tuple[list[list[str]], list[list[float]]]:
    """Per channel the names of the classes with the greatest mean after the activation, and these means."""
    labels, means = classes.means()
    order = np.argsort(-means, axis=0, kind="stable")[:most]  # NaN comes last
    known = [names[label] if label < len(names) else str(label) for label in labels.tolist()]
    best = [
        [row for row in order[:, channel] if not np.isnan(means[row, channel])] for channel in range(means.shape[1])
    ]
    return (
        [[known[row] for row in rows] for rows in best],
        [means[rows, channel].tolist() for channel, rows in enumerate(best)],
    )
