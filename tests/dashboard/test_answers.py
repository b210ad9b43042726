"""What a classifier answers, said on the overview: only where labels and outputs are the same classes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.task import Task
from dashboard.answers import answers_of
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import CLASSES, add_atlas, model_card
from tests.dashboard.test_pages import words

COUNTS = [(0, 0, 6), (0, 2, 4), (1, 1, 9), (1, 0, 1), (2, 2, 7), (2, 1, 3), (3, 3, 10)]
FACTS = {"images": 45, "outputs": 4, "classes": 4, "accuracy": 0.8, "standard_error": 0.063, "assumed": "the order"}


def answered(shelf: Library, facts: dict[str, Any], counts: list[tuple[int, int, int]]) -> Atlas:
    atlas = add_atlas(shelf, model_card())
    table = pd.DataFrame(counts, columns=["label", "predicted", "count"])
    table["label_name"] = [CLASSES[label] for label in table["label"]]
    table["predicted_name"] = [CLASSES[label] for label in table["predicted"]]
    task = Task("outputs", 1, atlas.model.sha256, "x")
    atlas.add_build({"request": {}, "versions": {}}, [task])
    files = {"predictions.json": encoding.to_json(facts), "confusion.parquet": encoding.to_parquet(table)}
    atlas.artifacts.write(task, files)
    return atlas


def test_the_overview_says_how_often_it_is_right_and_what_it_confuses(own_shelf: Library, open_page: Open) -> None:
    atlas = answered(own_shelf, FACTS, COUNTS)
    said = words(open_page("overview", atlas=atlas.id)).replace("\\", "")
    assert "80.0 % of the 40 images rightly (give or take 12.6), out of 4 classes." in said
    assert "it takes church for parachute (4 of 10) and parachute for golf ball (3 of 10)." in said
    assert "(1 of" not in said
    assert "Look at the images it gets wrong" in said


def test_one_that_is_always_right_confuses_nothing(own_shelf: Library) -> None:
    facts = FACTS | {"accuracy": 1.0, "standard_error": 0.0}
    found = answers_of(answered(own_shelf, facts, [(0, 0, 10), (1, 1, 10)]))
    assert found is not None
    assert found.said == "It names 100.0 % of the 20 images rightly, out of 4 classes."
    assert found.confused == ""
    assert not found.errs


@pytest.mark.parametrize("needs", ["labels", "as many classes as the model has outputs", "a classifier"])
def test_where_labels_and_outputs_do_not_fit_nothing_is_said(own_shelf: Library, needs: str) -> None:
    assert answers_of(answered(own_shelf, {"accuracy": None, "needs": needs}, COUNTS)) is None


def test_an_atlas_without_it_says_nothing(own_shelf: Library) -> None:
    assert answers_of(add_atlas(own_shelf, model_card())) is None
