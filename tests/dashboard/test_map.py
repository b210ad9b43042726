"""The map page: asked for, waited for, shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.jobs.request import BuildRequest
from analysis.jobs.table import Jobs
from analysis.task import Task
from dashboard.layers import request_for_the_rest
from dashboard.maps import in_square
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, model_card
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
