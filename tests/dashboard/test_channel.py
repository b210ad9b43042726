"""A channel's page beyond its picture: portraits on request, its likes, what people said of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis import encoding
from analysis.atlas.library import Library
from analysis.atlas.notes import add_note
from analysis.features.parameters import PortraitParameters
from analysis.jobs.request import RenderRequest
from analysis.jobs.table import Jobs
from analysis.task import Task
from dashboard.library import layers_of
from dashboard.likeness import Sets, against_it, like_it
from dashboard.notes import twin_of
from dashboard.pictures import LayerPictures, Sheets
from dashboard.portraits import said
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import CLASSES, add_atlas, model_card, pattern
from tests.dashboard.test_pages import component, words

LAYER = "features.1.conv"
IMAGES = 400


def exemplars(top: dict[int, range], least: dict[int, range]) -> Sets:
    rows = [
        {"channel": channel, "kind": kind, "image": image}
        for kind, sets in (("top", top), ("least", least))
        for channel, images in sets.items()
        for image in images
    ]
    return Sets.of(pd.DataFrame(rows))


def test_channels_that_share_their_images_are_alike() -> None:
    top = {0: range(10), 1: range(2, 12), 2: range(9, 19), 3: range(100, 110)}
    sets = exemplars(top, {0: range(100, 110)})
    (alike,) = like_it(sets, 0, IMAGES)
    assert (alike.channel, alike.shared, alike.of) == (1, 8, 10)
    (against,) = against_it(sets, 0, IMAGES)
    assert (against.channel, against.shared) == (3, 10)


def test_of_few_images_sharing_them_means_nothing() -> None:
    sets = exemplars({0: range(10), 1: range(3, 13)}, {})
    assert like_it(sets, 0, 14) == []
    assert like_it(sets, 5, IMAGES) == []


def asked(shelf: Library) -> list[RenderRequest]:
    return [RenderRequest(**job.request) for job in Jobs(shelf.database_url).recent() if job.kind == "render"]


class TestPortraits:
    @pytest.fixture
    def shelf(self, own_shelf: Library) -> Library:
        add_atlas(own_shelf, model_card())
        return own_shelf

    def test_what_people_ask_for_most_is_offered_below_the_picture(self, shelf: Library, open_page: Open) -> None:
        app = open_page("channel", atlas="tiny", layer=LAYER, channel="5")
        assert component(app, "strata_unit")["asks"] == ["Its opposite", "4 faces", "Beside a random net"]

    def test_the_form_asks_for_what_differs_from_the_defaults(self, shelf: Library, open_page: Open) -> None:
        app = open_page("channel", atlas="tiny", layer=LAYER, channel="5")
        next(box for box in app.selectbox if box.label == "Site").select("activation")
        next(box for box in app.number_input if box.label == "Steps").set_value(64)
        next(button for button in app.button if button.label == "Render").click().run()
        (request,) = asked(shelf)
        assert request.parameters == {"site": "activation", "steps": 64}
        PortraitParameters(**request.parameters)

    def test_what_was_made_is_shown_and_what_failed_says_why(self, shelf: Library, open_page: Open) -> None:
        atlas = shelf.atlas("tiny")
        settings = PortraitParameters(negative=True, faces=2).model_dump(mode="json")
        made = Task("renders", 1, atlas.model.sha256, "p", LAYER, (5, 6), parameters=settings)
        failed = Task("renders", 1, atlas.model.sha256, "p", LAYER, (5, 6), parameters={**settings, "seed": 3})
        atlas.add_build({"request": {}, "versions": {}}, [made, failed])
        table = pd.DataFrame({"face": [0, 1], "activation": [-2.0, -1.5], "ratio": [1.4, None], "state": "driven"})
        face = encoding.to_picture(pattern(1))
        facts = encoding.to_json({"faces": 2, "width": 64, "height": 64, "planes": 0})
        files = {"renders.parquet": encoding.to_parquet(table), "face-0.webp": face, "face-1.webp": face}
        files["facts.json"] = facts
        atlas.artifacts.write(made, files)
        atlas.artifacts.fail(failed, "No memory. Take fewer faces.")
        app = open_page("channel", atlas="tiny", layer=LAYER, channel="5")
        second, first = component(app, "strata_unit")["portraits"]
        assert first["title"] == "Its opposite, 2 faces"
        assert [face["caption"] for face in first["faces"]] == ["answers -2.00, ×1.4 the best image", "answers -1.50"]
        assert first["faces"][1]["url"].endswith("/face-1.webp")
        grid = component(open_page("layer", atlas="tiny", layer=LAYER), "strata_grid")
        faces = [grid["sheets"][sheet]["url"] for sheet, _ in grid["panels"][0]["faces"]["5"]]
        assert [url.rsplit("/", 1)[1] for url in faces] == ["face-0.webp", "face-1.webp"]
        assert (second["about"], second["faces"]) == ("No memory. Take fewer faces.", [])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"goal": "neuron"}, "the neuron answers 3.00, ×1.2 the best image"),
        ({"goal": "energy"}, "the layer's energy is 3.00, ×1.2 the best image"),
        ({"mix": {3: -1.0}}, "the mixture answers 3.00, ×1.2 the best image"),
    ],
)
def test_a_number_below_a_face_says_what_it_is_of(asked: dict, words: str) -> None:
    row = {"activation": 3.0, "ratio": 1.2, "state": "driven"}
    assert said(row, PortraitParameters(**asked).model_dump(mode="json")) == words


def test_notes_are_at_hand_beside_the_title_and_counted(own_shelf: Library, open_page: Open) -> None:
    atlas = add_atlas(own_shelf, model_card())
    page = {"atlas": "tiny", "layer": LAYER, "channel": "5"}
    (notes,) = open_page("channel", **page).get("popover")
    assert notes.proto.popover.label == "Notes"
    add_note(atlas, LAYER, 5, "Ada", "wheels", "good")
    (notes,) = open_page("channel", **page).get("popover")
    assert notes.proto.popover.label == "Notes · 1"


def test_the_twin_of_a_class_is_called_by_its_name(own_shelf: Library) -> None:
    atlas = add_atlas(own_shelf, replace(model_card(), heads={"output": len(CLASSES)}))
    output = next(layer for layer in layers_of(atlas.model) if layer.name == "output")
    told = SimpleNamespace(
        table=pd.DataFrame({"twin": [2, 3, 0, 1], "twin_correlation": [0.9, -0.8, 0.9, -0.8]}),
        pictures=LayerPictures(),
        sheets=Sheets(),
    )
    close, opposite = (twin_of(atlas, output, channel, told, Sheets()) for channel in (0, 1))  # type: ignore[arg-type]
    assert close.title == "Closest to it: class 2, parachute"
    assert opposite.title == "Opposite to it: class 3, tench"
    conv = twin_of(atlas, atlas.model.layer(LAYER), 0, told, Sheets())  # type: ignore[arg-type]
    assert conv.title == "Closest to it: channel 2"


def test_a_note_is_kept_and_shown_as_text(own_shelf: Library, open_page: Open) -> None:
    add_atlas(own_shelf, model_card())
    app = open_page("channel", atlas="tiny", layer=LAYER, channel="5")
    app.text_area[0].set_value("<script>x</script> looks at *wheels*")
    app.text_input[0].set_value("Ada")
    next(button for button in app.button if button.label == "Keep it").click().run()
    said = words(app)
    assert "looks at \\*wheels\\*" in said
    assert "<script>" not in said.replace("\\<script\\>", "")
    assert "Ada" in said
    assert "wheels" not in words(open_page("channel", atlas="tiny", layer=LAYER, channel="6"))


def test_an_empty_note_is_refused(own_shelf: Library, open_page: Open) -> None:
    add_atlas(own_shelf, model_card())
    app = open_page("channel", atlas="tiny", layer=LAYER, channel="5")
    next(button for button in app.button if button.label == "Keep it").click().run()
    assert "says nothing" in app.warning[0].value
