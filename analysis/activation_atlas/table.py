"""What is known of each cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.activation_atlas.layout import Cell
from analysis.activation_atlas.positions import Positions
from analysis.exemplars.cut import class_name
from analysis.probe.probe import Probe

NAMED = 3
"""Classes and channels that are named of a cell."""

COLUMNS: dict[str, str] = {
    "cell": "number of the cell, and of its picture on sheet.webp",
    "column": "its place on the grid, from the left",
    "row": "its place on the grid, from above",
    "count": "places of real images that lie in it",
    "images": "different images among these",
    "label": "the commonest class of these images, None without labels",
    "label_share": "share of the images that are of this class",
    "answers": "list: the classes whose logits stand highest there above their mean, empty without a classifier",
    "answers_by": "list: by how many deviations over all images, the mean over the cell's images",
    "channels": "list: the channels that stand highest there above their mean",
    "channels_by": "list: by how many deviations over all places",
    "ratio": "score of the picture ÷ mean score of the cell's real places; below 1 it falls short of them",
    "examples": "list: tiles on patches.webp, the nearest to the cell's direction first, each of another image",
    "example_images": "list: the images that they are from",
}
"""The columns of cells.parquet, one row a cell."""


def cell_table(
    cells: Sequence[Cell], positions: Positions, values: np.ndarray, ratio: np.ndarray, probe: Probe
) -> pd.DataFrame:
    """All columns but the examples'. values [n, K]: the vectors as the next layer gets them."""
    scores = (positions.scores - positions.scores.mean(0)) / np.maximum(positions.scores.std(0), 1e-12)
    row_of = {int(image): row for row, image in enumerate(positions.images)}
    loud = (values - values.mean(0)) / np.maximum(values.std(0), 1e-12)
    rows: list[dict[str, Any]] = []
    for number, cell in enumerate(cells):
        images = np.unique(positions.image[cell.members])
        label, share = _commonest([class_name(probe, int(image)) for image in images])
        answers = _highest(scores[[row_of[int(image)] for image in images]].mean(0))
        channels = _highest(loud[cell.members].mean(0))
        rows.append(
            {
                "cell": number,
                "column": cell.column,
                "row": cell.row,
                "count": len(cell.members),
                "images": len(images),
                "label": label,
                "label_share": share,
                "answers": [answer_name(probe, scores.shape[1], answer) for answer, _ in answers],
                "answers_by": [by for _, by in answers],
                "channels": [channel for channel, _ in channels],
                "channels_by": [by for _, by in channels],
                "ratio": float(ratio[number]),
            }
        )
    return pd.DataFrame(rows)


def answer_name(probe: Probe, outputs: int, answer: int) -> str:
    """The class of an output: the probe's, where it has as many classes as the model outputs; else its number."""
    classes = probe.card.classes
    return classes[answer] if len(classes) == outputs else f"class {answer}"


def _commonest(labels: Sequence[str | None]) -> tuple[str | None, float]:
    (label, count), *_ = Counter(labels).most_common(1)
    return (None, float("nan")) if label is None else (label, count / len(labels))


def _highest(values: np.ndarray) -> list[tuple[int, float]]:
    """The NAMED greatest that are above zero, with their places."""
    order = np.argsort(-values, kind="stable")[:NAMED]
    return [(int(place), float(values[place])) for place in order if values[place] > 0]


def nearest_of(cell: Cell, scores: np.ndarray, image: np.ndarray, count: int) -> list[int]:
    """At most `count` of a cell's vectors by score [n], highest first, no two of one image."""
    found: dict[int, int] = {}
    for member in cell.members[np.argsort(-scores[cell.members], kind="stable")]:
        if len(found) < count:
            found.setdefault(int(image[member]), int(member))
    return list(found.values())
