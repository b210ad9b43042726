"""Below a channel's picture: classes, twin and filter where the atlas knows them, nothing where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import encoding
from analysis.atlas.artifacts import folder_of
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.task import Task
from dashboard.components.unit import Note
from dashboard.layers import layer_facts
from dashboard.library import layers_of
from dashboard.notes import notes_of, site_of
from dashboard.pictures import Sheets
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import LAYER_FACTS, TILE, add_atlas, model_card, pattern, sheet, statistics_of
from tests.dashboard.test_pages import component

LAYER = "features.0.conv"


def told(atlas: Atlas, channel: int) -> list[Note]:
    layer = atlas.model.layer(LAYER)
    return notes_of(atlas, layer, channel, layer_facts(atlas, layer), Sheets())


def rich(shelf: Library, kernels: bool = True, means: Sequence[float] = (2.0, 0.5)) -> Atlas:
    """An atlas whose first layer knows classes, twins and weights."""
    atlas = add_atlas(shelf, model_card("rich", "55" * 32))
    layer = atlas.model.layer(LAYER)
    count = layer.out_channels
    statistics = statistics_of(layer, 0).assign(
        classes=[["tench", "n01532829_house_finch"]] * 15 + [[]],
        class_means=[list(means)] * 15 + [[]],
        twin=[5] + [-1] * (count - 1),
        twin_correlation=[-0.8] + [np.nan] * (count - 1),
    )
    weights = pd.DataFrame({"channel": range(count), "norm": np.arange(count) / 10.0})
    files = {"weights.parquet": encoding.to_parquet(weights)}
    if kernels:
        drawn = sheet([pattern(channel) for channel in range(count)])
        files |= {"kernels.webp": drawn["picture"], "facts.json": drawn["facts.json"]}
    measured = {"statistics.parquet": encoding.to_parquet(statistics), "layer.json": encoding.to_json(LAYER_FACTS)}
    made = [
        (Task("statistics", 2, "55" * 32, "x", LAYER), measured),
        (Task("weights", 1, "55" * 32, layer=LAYER), files),
    ]
    atlas.add_build({"request": {}, "versions": {}}, [task for task, _ in made])
    for task, artifact in made:
        atlas.artifacts.write(task, artifact)
    return atlas


def test_classes_are_bars_against_the_greatest(own_shelf: Library) -> None:
    classes = told(rich(own_shelf), 1)[0]
    assert [(bar.label, bar.value, bar.share) for bar in classes.bars] == [
        ("tench", "2.00", 1.0),
        ("house finch", "0.500", 0.25),
    ]


@pytest.mark.parametrize(
    ("facts", "site"),
    [
        ({"activation": "relu", "joined": False}, "after the activation"),
        ({"activation": "relu", "joined": True}, "before it is added to the other branch"),
        ({"activation": None, "joined": False}, "no activation follows"),
    ],
)
def test_what_drives_it_names_the_site_that_was_read(own_shelf: Library, facts: dict[str, object], site: str) -> None:
    atlas = rich(own_shelf, means=[2.0, -0.1])
    task = atlas.tasks("statistics", LAYER)[-1]
    (atlas.root / folder_of(task) / "layer.json").write_bytes(encoding.to_json(facts))
    classes = told(atlas, 1)[0]
    assert site in classes.about
    assert [bar.label for bar in classes.bars] == ["tench"], "a class whose mean is below 0 does not drive it"


def test_a_class_is_driven_by_its_score(own_shelf: Library) -> None:
    atlas = add_atlas(own_shelf, replace(model_card(), heads={"output": 4}))
    assert "as the score that it is" in site_of(atlas, layers_of(atlas.model)[-1])


def test_a_twin_is_a_link_with_that_channels_picture(own_shelf: Library, open_page: Open) -> None:
    atlas = rich(own_shelf)
    unit = component(open_page("channel", atlas=atlas.id, layer=LAYER, channel="0"), "strata_unit")
    twin = unit["notes"][1]
    assert twin["title"] == "Opposite to it: channel 5"
    assert "−0.80" in twin["about"]
    assert twin["step"] == 5
    assert twin["href"].endswith("channel=5")
    number, tile = twin["tile"]
    assert unit["sheets"][number]["url"].endswith("sheet.webp")
    assert tile == 5


def test_a_filter_that_has_a_picture_is_shown(own_shelf: Library) -> None:
    atlas = rich(own_shelf)
    layer, sheets = atlas.model.layer(LAYER), Sheets()
    note = notes_of(atlas, layer, 7, layer_facts(atlas, layer), sheets)[-1]
    assert note.tile is not None
    assert note.tile[1] == 7
    assert sheets.atlas_sheets[note.tile[0]]["url"].endswith("kernels.webp")
    assert sheets.atlas_sheets[note.tile[0]]["width"] == TILE


def test_what_is_not_known_is_left_out(own_shelf: Library) -> None:
    assert told(rich(own_shelf, kernels=False), 15) == []
    assert told(add_atlas(own_shelf, model_card()), 0) == []


@pytest.mark.parametrize("channel", [0, 9])
def test_channels_can_be_sorted_by_their_filters_norm(own_shelf: Library, channel: int) -> None:
    atlas = rich(own_shelf)
    facts = layer_facts(atlas, atlas.model.layer(LAYER))
    norm = next(each for each in facts.statistics if each["name"] == "norm")
    assert norm["values"][channel] == pytest.approx(channel / 10)
