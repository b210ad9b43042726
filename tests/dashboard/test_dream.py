"""The dream page: asking for a dream, watching it, keeping it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.atlas.library import Library
from analysis.jobs.request import DreamRequest
from analysis.jobs.table import Job, Jobs
from dashboard.dreams import good_layer
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import model_card, pattern, png
from tests.dashboard.test_pages import component


@pytest.fixture
def table(own_shelf: Library, tmp_path: Path) -> Jobs:
    """The job table of a library that holds one model."""
    file = tmp_path / "tiny.pth"
    file.write_bytes(b"weights")
    own_shelf.add_model(model_card(), file)
    return Jobs(own_shelf.database_url)


def dreamed(shelf: Library, table: Jobs, octaves: int, strip: bool = False) -> Job:
    """A running dream that has drawn so many pictures."""
    request = {"model": "tiny-abababab", "image": "x.png", "layer": "features.1.conv", "strip": strip}
    job = table.submit("dream", DreamRequest(**request).model_dump(mode="json"))
    table.claim(job.id)
    folder = shelf.dream_folder(job.id)
    folder.mkdir(parents=True)
    (folder / "original.png").write_bytes(png(pattern(0)))
    for number in range(octaves):
        (folder / f"{'strip' if strip else 'octave'}-{number}.webp").write_bytes(b"")
    return table.write(job.id, done=100 * octaves, total=1000, note=f"octave {octaves} of 12")


def test_a_dream_begins_with_a_layer_in_the_middle() -> None:
    card = model_card(widths=(8, 8, 8, 8, 8, 8))
    chosen = good_layer(card)
    assert chosen is not None
    assert chosen.name == "features.3.conv"


def test_every_model_can_be_dreamed_with_the_photo_net_first(
    table: Jobs, own_shelf: Library, tmp_path: Path, open_page: Open
) -> None:
    own_shelf.add_model(model_card("photos", "99" * 32), tmp_path / "tiny.pth")
    own_shelf.add_model(model_card("zebra", "88" * 32), tmp_path / "tiny.pth")
    choice = open_page("dream").selectbox[0]
    assert (choice.value, choice.options) == ("photos-99999999", ["photos", "tiny", "zebra"])
    assert open_page("dream", atlas="zebra-88888888").selectbox[0].value == "zebra-88888888"


def test_asking_files_a_job_that_the_engine_understands(table: Jobs, own_shelf: Library, open_page: Open) -> None:
    app = open_page("dream")
    app.button[0].click().run()
    (job,) = table.recent(10)
    request = DreamRequest(**job.request)
    assert (request.model, request.layer, request.channel) == ("tiny-abababab", "features.1.conv", None)
    assert Path(request.image).parent == own_shelf.root / "uploads"
    assert Path(request.image).is_file()
    assert request.parameters == {}
    assert app.query_params["job"] == job.id


def test_the_address_brings_layer_and_channel(table: Jobs, open_page: Open) -> None:
    app = open_page("dream", atlas="tiny-abababab", layer="features.2.conv", channel="7")
    assert not app.warning
    app.button[0].click().run()
    (job,) = table.recent(10)
    assert (job.request["layer"], job.request["channel"]) == ("features.2.conv", 7)


def test_changed_parameters_are_told_and_defaults_are_not(table: Jobs, open_page: Open) -> None:
    app = open_page("dream")
    app.number_input(key="dream-steps").set_value(3).run()
    app.button[0].click().run()
    assert table.recent(1)[0].request["parameters"] == {"steps": 3}


def test_an_upload_that_is_no_image_is_told_and_can_not_be_dreamed_on(table: Jobs, open_page: Open) -> None:
    app = open_page("dream")
    app.get("segmented_control")[0].set_value("Your own").run()
    assert app.button[0].disabled
    app.file_uploader[0].upload("photo.png", b"nothing of the kind").run()
    assert "photo.png is not an image" in app.error[0].value
    assert app.button[0].disabled
    assert table.recent(1) == []


def test_an_uploaded_image_is_dreamed_on(table: Jobs, open_page: Open) -> None:
    app = open_page("dream")
    app.get("segmented_control")[0].set_value("Your own").run()
    app.file_uploader[0].upload("photo.png", png(pattern(5))).run()
    app.button[0].click().run()
    assert Path(table.recent(1)[0].request["image"]).read_bytes() == png(pattern(5))


def test_a_running_dream_shows_what_it_has_drawn(table: Jobs, own_shelf: Library, open_page: Open) -> None:
    job = dreamed(own_shelf, table, octaves=11)
    app = open_page("dream", job=job.id)
    assert app.get("progress")[0].proto.text == "octave 11 of 12"
    viewer = component(app, "strata_viewer")
    assert [frame["label"] for frame in viewer["frames"]] == [f"octave {number}" for number in range(1, 12)]
    assert viewer["download"] is None


def test_a_running_dream_can_be_stopped(table: Jobs, own_shelf: Library, open_page: Open) -> None:
    job = dreamed(own_shelf, table, octaves=1)
    open_page("dream", job=job.id).button[0].click().run()
    assert table.get(job.id).cancel


def test_a_dream_that_is_done_can_be_downloaded(table: Jobs, own_shelf: Library, open_page: Open) -> None:
    job = dreamed(own_shelf, table, octaves=2, strip=True)
    folder = own_shelf.dream_folder(job.id)
    (folder / "facts.json").write_text('{"layers": ["features.0.conv", "features.2.conv"]}')
    (folder / "final.png").write_bytes(png(pattern(1)))
    table.finish(job.id, "done")
    viewer = component(open_page("dream", job=job.id), "strata_viewer")
    assert [frame["label"] for frame in viewer["frames"]] == ["features.0.conv", "features.2.conv"]
    assert viewer["download"] == f"/dreams/{job.id}/final.png?download"


def test_a_failed_dream_says_why(table: Jobs, own_shelf: Library, open_page: Open) -> None:
    job = dreamed(own_shelf, table, octaves=0)
    table.finish(job.id, "failed", error="The image has one channel. Give another one.")
    assert open_page("dream", job=job.id).error[0].value == "The image has one channel. Give another one."
