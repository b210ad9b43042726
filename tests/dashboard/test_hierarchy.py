"""How fine and how colourful pictures are: known answers."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.jobs.table import Jobs
from dashboard.hierarchy import hierarchy_of, measure
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, model_card


def grating(waves: float, colours: tuple[float, float, float], side: int = 96) -> np.ndarray:
    x = np.arange(side) / side
    return 0.5 + 0.4 * np.sin(2 * np.pi * waves * x)[None, :, None] * np.array(colours) * np.ones((side, 1, 1))


@pytest.mark.parametrize("waves", [4, 12, 24])
def test_a_gratings_frequency_is_found(waves: int) -> None:
    assert measure(grating(waves, (1, 1, 1)))[0] == pytest.approx(waves / 96, rel=0.02)


@pytest.mark.parametrize(("colours", "share"), [((1, 1, 1), 0), ((1, -1, 0), 1), ((1, 0, 0), 2 / 3)])
def test_the_share_of_colour_is_found(colours: tuple[float, float, float], share: float) -> None:
    assert measure(grating(8, colours))[1] == pytest.approx(share, abs=1e-9)


def test_a_picture_of_one_colour_has_neither() -> None:
    assert measure(np.full((32, 48, 3), 0.3)) == (0, 0)


def test_every_layer_with_pictures_is_a_rung(own_shelf: Library) -> None:
    rungs = hierarchy_of(add_atlas(own_shelf, model_card()))
    assert [rung.layer for rung in rungs] == ["features.0.conv", "features.1.conv", "features.2.conv"]
    assert [round(rung.field, 3) for rung in rungs] == [round(seen / 64, 3) for seen in (3, 17, 31)]
    assert all(0 < rung.waves < 32 and 0 <= rung.colour <= 1 for rung in rungs)


def test_the_overview_draws_it(own_shelf: Library, open_page: Open) -> None:
    add_atlas(own_shelf, model_card())
    app = open_page("overview", atlas="tiny")
    assert not app.error
    assert len(app.get("plotly_chart")) == 1


def test_the_twin_is_asked_for_and_drawn_beside_it(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    app = open_page("overview", atlas="tiny")
    (button,) = [each for each in app.button if "random weights" in each.label]
    button.click().run()
    (job,) = Jobs(own_shelf.database_url).recent()
    assert job.request["techniques"] == {"twins": {}}
    assert any("is being drawn" in each.value for each in app.caption)
    assert not [each for each in app.button if "random weights" in each.label]
    Jobs(own_shelf.database_url).finish(job.id, "done")
    add_twin(atlas)
    twin = hierarchy_of(atlas, twin=True)
    assert [rung.layer for rung in twin] == ["features.0.conv", "features.1.conv", "features.2.conv"]
    app = open_page("overview", atlas="tiny")
    assert not app.error
    assert any("random weights" in each.value for each in app.caption)
    assert not [each for each in app.button if "random weights" in each.label]


def test_a_twin_that_failed_can_be_asked_for_again(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    add_twin(atlas)
    shutil.rmtree(atlas.path(f"twins/{atlas.model.layers[0].name}"))
    (button,) = [each for each in open_page("overview", atlas="tiny").button if "random weights" in each.label]
    button.click().run()
    (job,) = Jobs(own_shelf.database_url).recent()
    assert job.request["techniques"] == {"twins": {}}


def add_twin(atlas: Atlas) -> None:
    """The model's own pictures as its twin's."""
    own = atlas.tasks("features")
    twins = [replace(task, technique="twins") for task in own]
    atlas.add_build({"request": {"techniques": {"twins": {}}}}, twins)
    for task, twin in zip(own, twins, strict=True):
        files = atlas.artifacts.read(task)
        atlas.artifacts.write(twin, {name: files[name] for name in files if name != "task.json"})


def test_without_pictures_there_is_none(own_shelf: Library) -> None:
    assert hierarchy_of(add_atlas(own_shelf, model_card(), pictures=False)) == ()
