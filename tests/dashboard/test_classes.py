"""A head's classes are units with pages of their own, like the channels of a layer."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.task import Task
from dashboard.library import layers_of
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, exemplars_of, model_card, sheet, statistics_of
from tests.dashboard.test_pages import component, words
from tests.dashboard.wired import wire, wire_up

COLUMNS = ("label", "predicted", "count", "label_name", "predicted_name")
CONFUSED = [(0, 0, 10, "church", "church"), (1, 0, 2, "golf ball", "church")]


@pytest.fixture
def atlas(own_shelf: Library) -> Atlas:
    return classifier(own_shelf)


def classifier(
    shelf: Library, name: str = "tiny", sha256: str = "ab" * 32, accuracy: float | None = None, seed: int = 0
) -> Atlas:
    """An atlas of a classifier of four classes, whose answers were measured."""
    card = replace(model_card(name, sha256), heads={"output": 4})
    made = add_atlas(shelf, card, seed=seed)
    head = layers_of(card)[-1]
    table, tiles = exemplars_of(head, range(4), 7)
    drawn = sheet(tiles, 15)
    task = Task("outputs", 1, card.sha256, "p")
    made.add_build({"request": {}, "versions": {}}, [task])
    files = {
        "statistics.parquet": encoding.to_parquet(statistics_of(head, 3)),
        "exemplars.parquet": encoding.to_parquet(table),
        "patches.webp": drawn["picture"],
        "facts.json": drawn["facts.json"],
        "predictions.json": encoding.to_json({"accuracy": accuracy, "classes": 4}),
        "confusion.parquet": encoding.to_parquet(pd.DataFrame(CONFUSED, columns=list(COLUMNS))),
    }
    made.artifacts.write(task, files)
    return made


def test_the_head_is_the_last_row_of_the_overview(atlas: Atlas, open_page: Open) -> None:
    row = component(open_page("overview", atlas="tiny"), "strata_strips")["rows"][-1]
    assert row["title"] == "output"
    assert "4 classes" in row["subtitle"]
    assert row["tiles"][0]


def test_its_classes_stand_in_a_grid(atlas: Atlas, open_page: Open) -> None:
    data = component(open_page("layer", atlas="tiny", layer="output"), "strata_grid")
    assert data["channels"] == [0, 1, 2, 3]
    assert all(data["panels"][0]["examples"])
    assert "peak_max" in [each["name"] for each in data["statistics"]]


def test_a_class_has_a_page(atlas: Atlas, open_page: Open) -> None:
    app = open_page("channel", atlas="tiny", layer="output", channel="2")
    assert "Class 2" in words(app)
    unit = component(app, "strata_unit")
    assert [len(group["items"]) for group in unit["groups"]] == [9, 3, 3]


def test_a_model_without_heads_has_none(own_shelf: Library, open_page: Open) -> None:
    add_atlas(own_shelf, model_card())
    assert "has no layer" in open_page("layer", atlas="tiny", layer="output").warning[0].value


def test_a_class_is_called_by_its_name(atlas: Atlas, open_page: Open) -> None:
    """The images have as many classes as the model has outputs: their order is taken for the outputs'."""
    app = open_page("channel", atlas="tiny", layer="output", channel="2")
    assert "Class 2: parachute" in words(app).replace("\\", "")
    assert "assumed" in words(app)
    data = component(open_page("layer", atlas="tiny", layer="output"), "strata_grid")
    assert data["labels"] == ["church", "golf ball", "parachute", "tench"]
    assert data["word"] == "Class"


def test_a_channel_that_alone_feeds_a_class_has_its_name(own_shelf: Library, open_page: Open) -> None:
    card = replace(model_card(widths=(16, 4)), heads={"output": 4})
    made = add_atlas(own_shelf, card)
    one_to_one = [wire(number, "in", "features.1.conv", number, 1.0) for number in range(4)]
    wire_up(made, {"output": ["features.1.conv"]}, {"output": one_to_one})
    app = open_page("channel", atlas="tiny", layer="features.1.conv", channel="1")
    assert "Channel 1: golf ball" in words(app).replace("\\", "")
    data = component(open_page("layer", atlas="tiny", layer="features.1.conv"), "strata_grid")
    assert (data["named"], data["labels"][3]) == (True, "tench")
    assert not component(open_page("layer", atlas="tiny", layer="features.0.conv"), "strata_grid")["named"]


def test_a_class_without_a_known_name_is_a_number(own_shelf: Library, open_page: Open) -> None:
    add_atlas(own_shelf, replace(model_card(), heads={"output": 7}))
    app = open_page("channel", atlas="tiny", layer="output", channel="2")
    assert "Class 2\n" in words(app)
