"""What a classifier answers on the probe, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.encoding import from_json, from_parquet
from dashboard.classes import name_of_class
from dashboard.pictures import readable

PAIRS = 3
"""Confusions that are named."""
OFTEN = 2
"""Images that must be called something else before it is a habit."""


@dataclass(frozen=True)
class Answers:
    """said: how often it is right · confused: what it takes for what · basis: what that rests on; both may be empty ·
    errs: whether it gets any image wrong · accuracy: share of the images, 0 … 1."""

    said: str
    confused: str
    basis: str
    errs: bool
    accuracy: float


def answers_of(atlas: Atlas) -> Answers | None:
    """None where the atlas does not know: no classifier, no labels, labels that are not the model's classes."""
    made = [task for task in atlas.tasks("outputs") if atlas.artifacts.has(task)]
    if not made:
        return None
    artifact = atlas.artifacts.read(made[-1])
    facts: dict[str, Any] = dict(from_json(artifact["predictions.json"]))
    accuracy = facts.get("accuracy")
    if accuracy is None:
        return None
    table = from_parquet(artifact["confusion.parquet"])
    table["predicted_name"] = [
        name_of_class(atlas, int(number)) or name
        for number, name in zip(table["predicted"], table["predicted_name"], strict=True)
    ]
    said = _said(facts, float(accuracy), int(table["count"].sum()))
    return Answers(said, _confused(table), _basis(facts), errs=float(accuracy) < 1, accuracy=float(accuracy))


def _said(facts: dict[str, Any], accuracy: float, images: int) -> str:
    """Of how many labelled images and classes, and how sure the figure is: two standard errors either side."""
    sure = 2 * float(facts.get("standard_error") or 0)
    about = f" (give or take {100 * sure:.1f})" if sure >= 0.0005 else ""
    return (
        f"It names {100 * accuracy:.1f} % of the {images:,} images rightly{about}, out of {facts['classes']} classes."
    )


def _basis(facts: dict[str, Any]) -> str:
    return f"This takes for granted: {facts['assumed']}." if facts.get("assumed") else ""


def _confused(table: pd.DataFrame) -> str:
    of = table.groupby("label")["count"].transform("sum")
    wrong = table.assign(of=of)[(table["label"] != table["predicted"]) & (table["count"] >= OFTEN)]
    worst = wrong.sort_values("count", ascending=False, kind="stable").head(PAIRS).to_dict("records")
    pairs = [
        f"{readable(str(row['label_name']))} for {readable(str(row['predicted_name']))} ({row['count']} of {row['of']})"
        for row in worst
    ]
    return f"Most often it takes {_listed(pairs)}." if pairs else ""


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
