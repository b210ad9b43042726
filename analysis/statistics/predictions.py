"""What the model itself answers on the probe: the confusion matrix, where it is a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch


@dataclass(frozen=True)
class Answers:
    """images, labels (−1: none), predicted [n] int64; score [n] float32, the answer's share of the softmax;
    outputs: how many the model has."""

    images: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    score: np.ndarray
    outputs: int

    def arrays(self) -> dict[str, np.ndarray]:
        return {**vars(self), "outputs": np.array(self.outputs)}

    @classmethod
    def join(cls, parts: Sequence[dict[str, np.ndarray]]) -> Answers:
        names = ("images", "labels", "predicted", "score")
        joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
        order = np.argsort(joined["images"], kind="stable")
        return cls(**{name: array[order] for name, array in joined.items()}, outputs=int(parts[0]["outputs"]))


def answers_of(scores: torch.Tensor, images: np.ndarray, labels: np.ndarray) -> Answers:
    """scores [n, K]: logits, or probabilities already (then they are left as they are)."""
    probable = bool((scores >= 0).all()) and bool(((scores.sum(1) - 1).abs() < 1e-3).all())
    share, predicted = (scores if probable else scores.softmax(1)).max(1)
    return Answers(images, labels, predicted.cpu().numpy(), share.cpu().numpy(), scores.shape[1])


def confusion_table(answers: Answers, classes: Sequence[str]) -> pd.DataFrame:
    """One row a pair (label, answer) that occurs: label, label_name, predicted, predicted_name, count; most first."""
    labelled = answers.labels >= 0
    pairs, counts = np.unique(
        np.stack([answers.labels[labelled], answers.predicted[labelled]], axis=1), axis=0, return_counts=True
    )
    named = answers.outputs == len(classes)
    table = pd.DataFrame(
        {
            "label": pairs[:, 0],
            "label_name": [_name(classes, label) for label in pairs[:, 0]],
            "predicted": pairs[:, 1],
            "predicted_name": [_name(classes if named else (), label) for label in pairs[:, 1]],
            "count": counts,
        }
    )
    return table.sort_values(["count", "label", "predicted"], ascending=[False, True, True], ignore_index=True)


def prediction_facts(answers: Answers, classes: Sequence[str]) -> dict[str, Any]:
    """accuracy and its standard error where the probe's classes are the model's outputs, else what that needs."""
    labelled = answers.labels >= 0
    facts: dict[str, Any] = {"images": len(answers.images), "outputs": answers.outputs, "classes": len(classes)}
    if not labelled.any():
        return facts | {"accuracy": None, "needs": "labels: put the images of each class into a folder of its own"}
    if answers.outputs != len(classes):
        needs = f"as many classes as the model has outputs: the images have {len(classes)}, the model {answers.outputs}"
        return facts | {"accuracy": None, "needs": needs}
    right = answers.labels[labelled] == answers.predicted[labelled]
    accuracy = float(right.mean())
    error = float(np.sqrt(accuracy * (1 - accuracy) / len(right)))
    return facts | {"accuracy": accuracy, "standard_error": error, "assumed": "classes in the order of the outputs"}


def _name(classes: Sequence[str], label: int) -> str:
    return classes[label] if label < len(classes) else str(label)
