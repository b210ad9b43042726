"""The image page: choosing an image, watching what is found, coming back to it; and exemplars that lead there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.jobs.looking import look_key
from analysis.jobs.request import LookRequest
from analysis.jobs.table import Job, Jobs
from analysis.task import Task
from dashboard.channels import request_for_heat
from dashboard.looks import Place, known_of
from dashboard.uploads import keep_image
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, exemplars_of, model_card, pattern, png
from tests.dashboard.test_pages import component, words

LAYER = "features.1.conv"


@pytest.fixture
def atlas(own_shelf: Library, tmp_path: Path) -> Atlas:
    """An atlas of 40 images, and its model's file in the library."""
    file = tmp_path / "tiny.pth"
    file.write_bytes(b"weights")
    own_shelf.add_model(model_card(), file)
    return add_atlas(own_shelf, model_card())


@pytest.fixture
def table(own_shelf: Library, atlas: Atlas) -> Jobs:
    return Jobs(own_shelf.database_url)


def asked(atlas: Atlas, number: int | None = 7, image: str | None = None) -> LookRequest:
    return LookRequest(model=atlas.model.id, atlas=atlas.id, number=number, image=image)


def found(shelf: Library, atlas: Atlas, request: LookRequest, drawn: int = 3) -> str:
    """Leave what a worker would have found, with so many caricatures. Returns its key."""
    key = look_key(shelf, request)
    folder = shelf.look_folder(key)
    folder.mkdir(parents=True)
    layers = []
    for number, layer in enumerate(atlas.model.layers):
        channels = [{"channel": c, "z": 6.0 - c, "peak": 9.0, "high": 9.0} for c in range(4)]
        layers.append({"name": layer.name, "channels": channels, "measured": True})
        (folder / f"heat-{number:04d}.webp").write_bytes(encoding.to_picture(bright_at_the_left()))
        if number < drawn:
            (folder / f"caricature-{number:04d}.webp").write_bytes(encoding.to_picture(pattern(number)))
            (folder / f"caricature-{number:04d}.json").write_text('{"cosine": 0.83, "untouched": 0.2}')
    answers = [
        {"number": 1, "name": "golf ball", "share": 0.7, "logit": 4.0},
        {"number": 3, "name": "tench", "share": 0.003, "logit": 1.0},
    ]
    facts = {
        "model": atlas.model.id, "atlas": atlas.id, "size": [64, 64], "tile": 112, "layers": layers,
        "subject": {"name": "0007.jpg", "number": request.number, "label": "tench" if request.number else None},
        "heads": {"output": answers},
    }  # fmt: skip
    (folder / "image.webp").write_bytes(encoding.to_picture(pattern(5)))
    (folder / "facts.json").write_bytes(encoding.to_json(facts))
    return key


def bright_at_the_left() -> np.ndarray:
    """Four heat maps side by side, each bright in its left third alone."""
    return np.tile(np.repeat([255, 0, 0], [37, 37, 38]).astype(np.uint8), (112, 4))


def look_job(table: Jobs, request: LookRequest) -> Job:
    job = table.submit("look", request.model_dump(mode="json"))
    claimed = table.claim(job.id)
    assert claimed is not None
    return claimed


def add_answers(atlas: Atlas) -> None:
    """What the model said of the 40 images: every fifth wrongly, the later the surer."""
    labels = np.arange(40) % 4
    predicted = np.where(np.arange(40) % 5 == 0, (labels + 1) % 4, labels)
    score = np.linspace(0.2, 0.9, 40, dtype=np.float32)
    arrays = {"images": np.arange(40), "labels": labels, "predicted": predicted, "score": score, "outputs": np.array(4)}
    task = Task("outputs", 1, atlas.model.sha256, "12" * 16)
    atlas.add_build({"request": {}, "versions": {}}, [task])
    facts = {"accuracy": 0.8, "classes": 4, "assumed": "the order"}
    pairs = {"label": [0], "label_name": ["church"], "predicted": [1], "predicted_name": ["golf ball"], "count": [8]}
    files = {
        "answers.npz": encoding.to_npz(arrays),
        "predictions.json": encoding.to_json(facts),
        "confusion.parquet": encoding.to_parquet(pd.DataFrame(pairs)),
    }
    atlas.artifacts.write(task, files)


class TestWaiting:
    def test_an_image_of_the_probe_stands_there_at_once(self, atlas: Atlas, open_page: Open) -> None:
        add_answers(atlas)
        app = open_page("image", atlas=atlas.id, image="probe/7")
        assert app.title[0].value == "Tench"
        assert "image 7 of the probe · called tench, 33 %" in words(app).replace("\\", "")
        assert "Waiting for the engine" in app.get("progress")[0].proto.text
        assert len(app.get("image")) == 1

    def test_its_small_picture_is_its_own(self, own_shelf: Library, atlas: Atlas) -> None:
        known = known_of(Place(atlas.model, atlas), "probe/11")
        assert known is not None
        assert known.picture is not None
        difference = np.asarray(known.picture, np.float64)[..., :3] - pattern(5011)
        assert np.abs(difference).mean() < 12, "but for the compression"
        assert known_of(Place(atlas.model, atlas), "upload/x.png") is None

    def test_what_is_not_known_is_left_out(self, own_shelf: Library, tmp_path: Path, open_page: Open) -> None:
        (tmp_path / "tiny.pth").write_bytes(b"weights")
        own_shelf.add_model(model_card(), tmp_path / "tiny.pth")
        atlas = add_atlas(own_shelf, model_card(), done=0)
        app = open_page("image", atlas="tiny", image="probe/7")
        assert app.title[0].value == "Image 7 of the probe"
        assert not app.get("image")
        add_answers(atlas)
        app = open_page("image", atlas="tiny", image="probe/7")
        assert app.title[0].value == "Tench", "the answers know its label before its small picture is there"
        assert not app.get("image")


class TestChoosing:
    def test_an_empty_library_says_what_to_do_first(self, own_shelf: Library, open_page: Open) -> None:
        assert "no model in the library yet" in words(open_page("image"))

    def test_the_probes_images_are_offered(self, atlas: Atlas, open_page: Open) -> None:
        app = open_page("image")
        items = component(app, "strata_gallery")["items"]
        assert len(items) == 40
        assert items[3]["href"] == f"/image?atlas={atlas.id}&image=probe%2F3"
        assert all(item["tile"] for item in items)

    def test_those_it_gets_wrong_come_first_and_the_surest_of_them(self, atlas: Atlas, open_page: Open) -> None:
        add_answers(atlas)
        app = open_page("image", atlas=atlas.id)
        items = component(app, "strata_gallery")["items"]
        assert [item["key"] for item in items] == [f"probe/{image}" for image in range(35, -1, -5)]
        assert (items[0]["title"], items[0]["about"]) == ("tench", "called church, 83 %")
        assert "8 images are called something else" in words(app)
        assert any("gets wrong" in link.label for link in open_page("overview", atlas=atlas.id).page_link)

    def test_a_number_leads_to_the_image(self, atlas: Atlas, table: Jobs, open_page: Open) -> None:
        app = open_page("image", atlas=atlas.id)
        app.number_input[0].set_value(12).run()
        assert app.query_params["image"] == "probe/12"
        assert [job.request["number"] for job in table.recent()] == [12]

    def test_a_sample_is_kept_and_looked_at(self, own_shelf: Library, table: Jobs, open_page: Open) -> None:
        app = open_page("image")
        app.button(key="sample-Flower").click().run()
        (job,) = table.recent()
        assert Path(job.request["image"]).parent == own_shelf.root / "uploads"
        assert app.query_params["image"] == f"upload/{Path(job.request['image']).name}"

    def test_a_model_without_an_atlas_can_be_looked_with(
        self, own_shelf: Library, tmp_path: Path, open_page: Open
    ) -> None:
        file = tmp_path / "tiny.pth"
        file.write_bytes(b"weights")
        own_shelf.add_model(model_card(), file)
        image = keep_image(png(pattern(1)))
        app = open_page("image", atlas="tiny-abababab", image=f"upload/{image.name}")
        (job,) = Jobs(own_shelf.database_url).recent()
        assert (job.request["model"], job.request["atlas"]) == ("tiny-abababab", None)
        assert not app.exception


class TestLooking:
    def test_an_address_asks_once(self, atlas: Atlas, table: Jobs, open_page: Open) -> None:
        for _ in range(2):
            app = open_page("image", atlas=atlas.id, image="probe/7")
        (job,) = table.recent()
        assert LookRequest(**job.request) == asked(atlas)
        assert app.get("progress")[0].proto.text == "Waiting for the engine"

    def test_what_is_found_shows_while_the_rest_is_drawn(
        self, own_shelf: Library, atlas: Atlas, table: Jobs, open_page: Open
    ) -> None:
        job = look_job(table, asked(atlas))
        table.write(job.id, done=400, total=1000, note="what features.1.conv kept, 2 of 3")
        key = found(own_shelf, atlas, asked(atlas), drawn=1)
        app = open_page("image", atlas=atlas.id, image="probe/7", layer=LAYER, channel="2")
        assert app.title[0].value == "Tench"
        assert "called golf ball, 70 % sure" in words(app)
        data = component(app, "strata_look")
        assert (data["layer"], data["channel"]) == (LAYER, 2)
        first, second, _third = data["layers"]
        assert first["kept"] == f"/looks/{key}/caricature-0000.webp"
        assert "0.83" in first["said"]
        assert (second["kept"], second["coming"]) == ("", True)
        assert [channel["value"] for channel in second["channels"]] == ["+6.0 σ", "+5.0 σ", "+4.0 σ", "+3.0 σ"]
        assert second["channels"][0]["href"] == f"/channel?atlas={atlas.id}&layer={LAYER}&channel=0"
        assert all(channel["tile"] for channel in second["channels"])
        assert data["sheets"][second["channels"][1]["heat"][0]]["url"] == f"/looks/{key}/heat-0001.webp"
        answers = data["heads"][0]["answers"]
        assert [(each["label"], each["value"], each["right"]) for each in answers] == [
            ("golf ball", "70 %", False), ("tench", "under 1 %", True),
        ]  # fmt: skip
        assert app.get("progress")[0].proto.text == "what features.1.conv kept, 2 of 3"

    def test_it_can_be_stopped_and_gone_on_with(
        self, own_shelf: Library, atlas: Atlas, table: Jobs, open_page: Open
    ) -> None:
        job = look_job(table, asked(atlas))
        found(own_shelf, atlas, asked(atlas), drawn=1)
        app = open_page("image", atlas=atlas.id, image="probe/7")
        app.button[0].click().run()
        assert table.get(job.id).cancel
        table.finish(job.id, "cancelled")
        app = open_page("image", atlas=atlas.id, image="probe/7")
        assert "What was found by then is kept" in words(app)
        assert component(app, "strata_look")["layers"][1]["coming"] is False
        app.button(key="again").click().run()
        assert len(table.unfinished()) == 1

    def test_done_it_is_there_at_once_and_asks_for_nothing(
        self, own_shelf: Library, atlas: Atlas, table: Jobs, open_page: Open
    ) -> None:
        found(own_shelf, atlas, asked(atlas))
        app = open_page("image", atlas="tiny", image="probe/7")
        assert component(app, "strata_look")["layers"][2]["kept"]
        assert table.recent() == []
        assert not app.get("progress")

    def test_a_look_that_failed_says_why_and_can_be_tried_again(
        self, atlas: Atlas, table: Jobs, open_page: Open
    ) -> None:
        job = look_job(table, asked(atlas))
        table.finish(job.id, "failed", error="The images have changed. Build again.")
        app = open_page("image", atlas=atlas.id, image="probe/7")
        assert app.error[0].value == "The images have changed. Build again."
        assert len(table.recent()) == 1, "a failed look is not asked for again by itself"
        app.button(key="again").click().run()
        assert len(table.recent()) == 2

    def test_a_look_that_was_freed_can_be_had_again(
        self, own_shelf: Library, atlas: Atlas, table: Jobs, open_page: Open
    ) -> None:
        table.finish(look_job(table, asked(atlas)).id, "done")
        app = open_page("image", atlas=atlas.id, image="probe/7")
        assert "is not there any more" in words(app)

    def test_the_jobs_page_leads_to_it(self, own_shelf: Library, atlas: Atlas, table: Jobs, open_page: Open) -> None:
        look_job(table, asked(atlas))
        app = open_page("jobs")
        assert f"A look at image 7 of the probe with {atlas.model.id}" in words(app)


class TestWrongAddresses:
    @pytest.mark.parametrize(
        ("query", "words_"),
        [
            ({"atlas": "tinny-abababab", "image": "probe/1"}, "The nearest is"),
            ({"image": "probe/400"}, "images 0 to 39, not 400"),
            ({"image": "probe/none"}, "images 0 to 39, not none"),
            ({"image": "probe/" + "9" * 5000}, "images 0 to 39, not 9999"),
            ({"image": "upload/gone.png"}, "not in the library any more"),
            ({"image": "upload/../jobs.sqlite"}, "not in the library any more"),
            ({"image": "elsewhere"}, "The address names no image"),
            ({"image": "probe/1", "channel": "x"}, "not a number"),
        ],
    )
    def test_they_say_what_is_wrong_and_ask_for_nothing(
        self, atlas: Atlas, table: Jobs, open_page: Open, query: dict[str, str], words_: str
    ) -> None:
        app = open_page("image", **{"atlas": atlas.id, **query})
        assert words_ in words(app)
        assert table.recent() == []
        assert not app.exception

    def test_a_layer_that_there_is_not_falls_back_to_the_pages_own_choice(
        self, own_shelf: Library, atlas: Atlas, table: Jobs, open_page: Open
    ) -> None:
        found(own_shelf, atlas, asked(atlas))
        app = open_page("image", atlas=atlas.id, image="probe/7", layer="nowhere")
        assert component(app, "strata_look")["layer"] == ""

    def test_a_file_of_a_look_is_given_out_and_no_other(self, own_shelf: Library, atlas: Atlas) -> None:
        from starlette.applications import Starlette
        from starlette.testclient import TestClient

        from dashboard.routes import ROUTES

        key = found(own_shelf, atlas, asked(atlas))
        client = TestClient(Starlette(routes=ROUTES))
        answer = client.get(f"/looks/{key}/heat-0000.webp")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert "immutable" in answer.headers["cache-control"]
        for wrong in (f"/looks/{key}/facts.json", "/looks/..%2F/heat-0000.webp", f"/looks/{key}/..%2F..%2Fjobs.sqlite"):
            assert client.get(wrong).status_code == 404

    def test_an_image_is_brought_as_it_is_and_rubbish_refused(self, own_shelf: Library) -> None:
        from starlette.applications import Starlette
        from starlette.testclient import TestClient

        from dashboard.routes import ROUTES

        client = TestClient(Starlette(routes=ROUTES))
        content = png(pattern(3))
        kept = client.put("/bring/photo?name=a.png", content=content).json()["id"]
        assert kept == f"{hashlib.sha256(content).hexdigest()[:32]}.png"
        assert (own_shelf.root / "uploads" / kept).read_bytes() == content
        refused = client.put("/bring/photo?name=b.png", content=b"nothing of the kind")
        assert refused.status_code == 400
        assert "b.png is not an image" in refused.text
        assert list((own_shelf.root / "uploads" / "photo").iterdir()) == []


class TestExemplars:
    def test_without_heat_maps_they_can_be_asked_for(self, atlas: Atlas, open_page: Open) -> None:
        data = component(open_page("channel", atlas=atlas.id, layer=LAYER, channel="3"), "strata_unit")
        assert data["heat"] == "ask"
        request = request_for_heat(atlas, atlas.model.layer(LAYER))
        assert request is not None
        assert (request["layers"], request["techniques"]) == ([LAYER], {"heat": {}})

    def test_while_they_are_made_the_page_says_so(self, atlas: Atlas, table: Jobs, open_page: Open) -> None:
        request = request_for_heat(atlas, atlas.model.layer(LAYER))
        assert request is not None
        table.submit("build", request)
        data = component(open_page("channel", atlas=atlas.id, layer=LAYER, channel="3"), "strata_unit")
        assert data["heat"] == "coming"

    def test_an_exemplar_knows_its_image_and_where_the_channel_answers(self, atlas: Atlas, open_page: Open) -> None:
        layer = atlas.model.layer(LAYER)
        rows, _tiles = exemplars_of(layer, range(16), 0)
        heat = rows[["channel", "image"]].drop_duplicates().assign(reach=2.0, strength=0.5)
        heat["tile"] = range(len(heat))
        task = Task("heat", 1, atlas.model.sha256, "12" * 16, LAYER, (0, 16))
        atlas.add_build({"request": {}, "versions": {}}, [task])
        files = {
            "heat.parquet": encoding.to_parquet(heat),
            "heat.webp": b"",
            "facts.json": b'{"tile": 28, "columns": 9}',
        }
        atlas.artifacts.write(task, files)
        data = component(open_page("channel", atlas=atlas.id, layer=LAYER, channel="3"), "strata_unit")
        assert data["heat"] == ""
        (best, *_rest) = data["groups"][0]["items"]
        assert (best["number"], best["strength"]) == (21, 0.5)
        sheet, tile = best["heat"]
        assert data["sheets"][sheet]["url"].endswith("heat.webp")
        assert tile == heat.loc[(heat["channel"] == 3) & (heat["image"] == 21), "tile"].item()
