"""The map page: asked for, waited for, shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.jobs.request import BuildRequest
from analysis.jobs.table import Jobs
from analysis.task import Task
from dashboard.layers import request_for_the_rest
from dashboard.maps import ATLAS, in_square
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import TILE, add_atlas, model_card, pattern, sheet
from tests.dashboard.test_pages import component, words

LAYER = "features.1.conv"


def add_map(atlas: Atlas, layer: str = LAYER) -> None:
    count = atlas.model.layer(layer).out_channels
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(count, 4)), columns=["pca_x", "pca_y", "tsne_x", "tsne_y"])
    table.loc[3] = np.nan
    table.insert(0, "channel", range(count))
    task = Task("map", 1, atlas.model.sha256, "p", layer)
    atlas.add_build({"request": {"techniques": {"map": {}}}, "versions": {}}, [task])
    atlas.artifacts.write(task, {"map.parquet": encoding.to_parquet(table)})


def add_activation_atlas(atlas: Atlas, layer: str = LAYER) -> None:
    """Six cells on a grid of 4 × 2, two patches each."""
    rows = [
        {
            "cell": number, "column": number % 4, "row": number // 4, "count": 10 + number, "images": 5,
            "label": "tench", "label_share": 0.6, "answers": ["church", "golf ball"], "answers_by": [2.0, 1.0],
            "channels": [number, number + 1], "channels_by": [3.0, 2.0], "ratio": 1.5,
            "examples": [2 * number, 2 * number + 1], "example_images": [number, number + 9],
        }
        for number in range(6)
    ]  # fmt: skip
    facts = {
        "tile": [TILE, TILE], "columns": 4, "grid": [4, 2], "positions": 75, "images": 40,
        "patch": TILE, "patch_columns": 4,
    }  # fmt: skip
    task = Task(ATLAS, 1, atlas.model.sha256, "p", layer)
    atlas.add_build({"request": {"techniques": {ATLAS: {}}}, "versions": {}}, [task])
    files = {
        "cells.parquet": encoding.to_parquet(pd.DataFrame(rows)),
        "sheet.webp": sheet([pattern(number) for number in range(6)])["picture"],
        "patches.webp": sheet([pattern(50 + number) for number in range(12)])["picture"],
        "facts.json": encoding.to_json(facts),
    }
    atlas.artifacts.write(task, files)


def add_answers(atlas: Atlas, order: np.ndarray, layer: str = LAYER) -> None:
    """A map whose channels answer the same invented images: channel k as channel order[k] of another does."""
    count = len(order)
    draw = np.random.default_rng(3)
    means, places = draw.normal(size=(40, count)), draw.normal(size=(count, 4))
    table = pd.DataFrame(places[order], columns=["pca_x", "pca_y", "tsne_x", "tsne_y"])
    table.insert(0, "channel", range(count))
    task = Task("map", 2, atlas.model.sha256, "p", layer)
    atlas.add_build({"request": {"techniques": {"map": {}}}, "versions": {}}, [task])
    answers = encoding.to_npz({"images": np.arange(40), "means": means[:, order].astype(np.float32)})
    atlas.artifacts.write(task, {"map.parquet": encoding.to_parquet(table), "answers.npz": answers})


def panels(app: AppTest) -> list[dict[str, Any]]:
    return component(app, "strata_map")["panels"]


@pytest.mark.parametrize("shuffled", [False, True])
def test_two_checkpoints_lie_side_by_side_under_one_cursor(own_shelf: Library, open_page: Open, shuffled: bool) -> None:
    order = np.random.default_rng(7).permutation(48) if shuffled else np.arange(48)
    first, second = add_atlas(own_shelf, model_card()), add_atlas(own_shelf, model_card("later", "cd" * 32))
    add_answers(first, np.arange(48))
    add_answers(second, order)
    app = open_page("map", atlas=first.id, layer=LAYER, other=second.id)
    a, b = panels(app)
    partner = {point["id"]: point["partner"] for point in a["points"]}
    assert partner == {int(own): number for number, own in enumerate(order)}
    assert {point["id"]: point["partner"] for point in b["points"]} == {there: own for own, there in partner.items()}
    places = [{point["id"]: (point["x"], point["y"]) for point in side["points"]} for side in (a, b)]
    for own, there in partner.items():  # the same layout: it comes to lie on itself
        np.testing.assert_allclose(places[0][own], places[1][there], atol=1e-9)
    assert ("Channels that answer alike" if shuffled else "Channel n of one") in words(app)
    assert "explains 100" in words(app)


def test_another_layer_lies_beside(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    add_answers(atlas, np.arange(48))
    add_answers(atlas, np.arange(96), "features.2.conv")
    app = open_page("map", atlas=atlas.id, layer=LAYER, other="features.2.conv")
    assert [side["title"] for side in panels(app)] == [LAYER, "features.2.conv"]


def test_the_map_beside_is_asked_for_where_it_is_not_made(own_shelf: Library, open_page: Open) -> None:
    first, second = add_atlas(own_shelf, model_card()), add_atlas(own_shelf, model_card("later", "cd" * 32))
    add_map(first)
    app = open_page("map", atlas=first.id, layer=LAYER, other=second.id)
    assert "is not made yet" in words(app)
    assert len(panels(app)) == 1
    app.button[0].click().run()
    assert BuildRequest(**Jobs(own_shelf.database_url).recent()[0].request).model == second.model.id


@pytest.mark.parametrize("other", ["nowhere", "tiny-abababab.12121212/no.such"])
def test_a_wrong_other_says_so_and_offers_the_map_alone(own_shelf: Library, open_page: Open, other: str) -> None:
    add_map(add_atlas(own_shelf, model_card()))
    app = open_page("map", atlas="tiny", layer=LAYER, other=other)
    assert other.rsplit("/", maxsplit=1)[-1] in app.warning[0].value
    assert f"{LAYER}" in words(app)
    assert not app.get("bidi_component") or not any(
        element.proto.component_name == "strata_map" for element in app.get("bidi_component")
    )


def test_maps_whose_channels_are_not_known_to_belong_together_say_so(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    add_map(atlas)
    add_map(atlas, "features.2.conv")
    app = open_page("map", atlas=atlas.id, layer=LAYER, other="features.2.conv")
    assert "is not known" in words(app)
    assert len(panels(app)) == 2


def test_an_activation_atlas_is_asked_for_and_waited_for(own_shelf: Library, open_page: Open) -> None:
    add_atlas(own_shelf, model_card())
    app = open_page("map", atlas="tiny", layer=LAYER, show=ATLAS)
    assert "not made yet" in words(app)
    app.button[0].click().run()
    (job,) = Jobs(own_shelf.database_url).recent()
    assert dict(BuildRequest(**job.request).techniques) == {ATLAS: {}}
    assert "being made" in app.status[0].label


def test_an_activation_atlas_that_failed_says_why(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    task = Task(ATLAS, 1, atlas.model.sha256, "p", LAYER)
    atlas.add_build({"request": {"techniques": {ATLAS: {}}}, "versions": {}}, [task])
    atlas.artifacts.fail(task, "12 places are too few for an activation atlas. Measure on more images.")
    app = open_page("map", atlas="tiny", layer=LAYER, show=ATLAS)
    assert "12 places are too few" in app.error[0].value
    assert app.button[0].label == "Make the activation atlas"


def test_cells_lie_on_their_grid_and_tell_what_is_in_them(own_shelf: Library, open_page: Open) -> None:
    add_activation_atlas(add_atlas(own_shelf, model_card()))
    app = open_page("map", atlas="tiny", layer=LAYER, show=ATLAS, selected="1,2")
    data = component(app, "strata_map")
    (plane,) = data["panels"]
    assert data["grid"] == [4, 2]
    assert data["picked"] == [1, 2]
    assert [(point["x"], point["y"]) for point in plane["points"]][:5] == [
        (0.125, 0.25), (0.375, 0.25), (0.625, 0.25), (0.875, 0.25), (0.125, 0.75)
    ]  # fmt: skip
    cell = plane["points"][3]
    assert cell["title"] == "13 places in 5 images"
    assert cell["lines"] == ["Most often tench, 60% of the images", "Answers there: church, golf ball", "Channels 3, 4"]
    assert len(cell["patches"]) == 2
    assert data["sheets"][cell["patches"][0][0]]["url"].endswith("patches.webp")


def test_neither_changes_what_the_rest_of_a_layer_is(own_shelf: Library) -> None:
    atlas = add_atlas(own_shelf, model_card())
    add_activation_atlas(atlas)
    request = request_for_the_rest(atlas, atlas.model.layer(LAYER))
    assert request is not None
    assert request["techniques"] == {"features": {}}


def test_a_map_is_asked_for_and_waited_for(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    app = open_page("map", atlas="tiny", layer=LAYER)
    assert "not made yet" in words(app)
    app.button[0].click().run()
    (job,) = Jobs(own_shelf.database_url).recent()
    request = BuildRequest(**job.request)
    assert (request.model, request.layers, dict(request.techniques)) == (atlas.model.id, (LAYER,), {"map": {}})
    assert "being made" in app.status[0].label


@pytest.mark.parametrize("layout", ["tsne", "pca"])
def test_every_channel_that_varies_has_its_place_and_picture(own_shelf: Library, open_page: Open, layout: str) -> None:
    add_map(add_atlas(own_shelf, model_card()))
    app = open_page("map", atlas="tiny", layer=LAYER, layout=layout)
    points = component(app, "strata_map")["panels"][0]["points"]
    assert [point["id"] for point in points] == [channel for channel in range(48) if channel != 3]
    assert all(point["tile"] and 0 <= point["x"] <= 1 and 0 <= point["y"] <= 1 for point in points)
    assert "1 channels never vary" in words(app)


def test_what_is_picked_is_in_the_address(own_shelf: Library, open_page: Open) -> None:
    add_map(add_atlas(own_shelf, model_card()))
    app = open_page("map", atlas="tiny", layer=LAYER, selected="5,1,3,9999")  # 3 lies nowhere, 9999 is not there
    assert component(app, "strata_map")["picked"] == [5, 1]
    (link,) = (link for link in app.page_link if link.proto.label.startswith("Look"))
    assert link.proto.label == "Look at the 2 channels picked here"
    assert dict(parse_qsl(link.proto.query_string))["selected"] == "5,1"


def test_channels_are_not_taken_for_cells(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    add_map(atlas)
    add_activation_atlas(atlas)
    app = open_page("map", atlas="tiny", layer=LAYER, selected="1,2")
    control = next(
        group for group in app.get("button_group") if ATLAS in str(group.options) or "Activation" in str(group.options)
    )
    control.set_value(ATLAS).run()
    assert component(app, "strata_map")["picked"] == []
    assert "selected" not in app.query_params


def test_a_map_does_not_change_what_the_rest_of_a_layer_is(own_shelf: Library) -> None:
    atlas = add_atlas(own_shelf, model_card())
    add_map(atlas)
    request = request_for_the_rest(atlas, atlas.model.layer(LAYER))
    assert request is not None
    assert request["techniques"] == {"features": {}}


def test_places_fill_the_square() -> None:
    square = in_square(np.array([[0.0, 0.0], [10.0, 2.0], [5.0, 1.0]]))
    assert square.tolist() == [[0, 0], [1, 1], [0.5, 0.5]]
    assert in_square(np.array([[3.0, 3.0]])).tolist() == [[0.5, 0.5]]
    assert in_square(np.zeros((0, 2))).shape == (0, 2)
