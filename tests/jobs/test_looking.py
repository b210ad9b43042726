"""One image looked at as a job: what it leaves, that it goes on where it was, that it is found again by what it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner

from analysis.atlas.clean import garbage
from analysis.atlas.files import write_atomically
from analysis.atlas.library import Library
from analysis.cli import app
from analysis.errors import StrataError
from analysis.jobs.cluster import Hands
from analysis.jobs.local import build_here, look_here
from analysis.jobs.looked import heated, read_look
from analysis.jobs.looking import layers_to_draw, look_key, look_task
from analysis.jobs.request import LookRequest
from analysis.jobs.table import Jobs
from analysis.models.open import open_model
from tests.tiny import tiny_images, tiny_onnx


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A net with an atlas of 20 images, measured."""
    folder = tmp_path_factory.mktemp("look")
    file = tiny_onnx(folder / "tiny.onnx")
    library = Library(folder / "library")
    card = open_model(file).card
    library.add_model(card, file)
    images = tiny_images(folder / "images")
    techniques: dict[str, dict[str, object]] = {"statistics": {}, "exemplars": {}, "heat": {}}
    request = {"model": card.id, "images": str(images), "techniques": techniques}
    assert build_here(library, request, Hands(1)).state == "done"
    return library


@pytest.fixture
def request_(library: Library) -> LookRequest:
    (atlas,) = library.atlases()
    return LookRequest(model=atlas.model.id, atlas=atlas.id, number=3)


def test_a_look_leaves_the_answer_the_channels_and_what_each_layer_kept(
    library: Library, request_: LookRequest
) -> None:
    assert look_task(str(library.root), "a", request_)
    found = read_look(library, look_key(library, request_))
    assert found is not None
    subject = found.facts["subject"]
    assert (subject["number"], subject["label"]) == (3, subject["name"].split("/")[-2])
    assert len(found.facts["heads"]["output"]) == 5
    assert [layer["name"] for layer in found.facts["layers"]] == [layer.name for layer in found.card.layers]
    for layer in found.facts["layers"]:
        scores = [each["z"] for each in layer["channels"]]
        assert scores == sorted(scores, reverse=True)
        assert found.caricature(layer["name"]) is not None
        assert found.reached(layer["name"])["cosine"] > found.reached(layer["name"])["untouched"]
        with Image.open(
            found.folder / f"heat-{found.card.layers.index(found.card.layer(layer['name'])):04d}.webp"
        ) as sheet:
            assert sheet.size == (112 * len(layer["channels"]), 112)


def test_z_is_that_of_the_statistics(library: Library, request_: LookRequest) -> None:
    """An exemplar's own peak stands in the exemplars table; its z follows from the statistics by hand."""
    (atlas,) = library.atlases()
    layer = atlas.model.layers[1].name
    exemplars, statistics = atlas.exemplars(layer), atlas.statistics(layer)
    assert exemplars is not None
    assert statistics is not None
    top = exemplars[(exemplars["kind"] == "top") & (exemplars["rank"] == 0)].iloc[0]
    request = request_.model_copy(update={"number": int(top["image"]), "layers": (layer,)})
    look_task(str(library.root), "b", request)
    found = read_look(library, look_key(library, request))
    assert found is not None
    (told,) = [each for each in found.facts["layers"] if each["name"] == layer]
    (channel,) = [each for each in told["channels"] if each["channel"] == top["channel"]]
    row = statistics.set_index("channel").loc[top["channel"]]
    assert channel["peak"] == pytest.approx(top["value"], rel=1e-5)
    assert channel["z"] == pytest.approx((top["value"] - row["peak_mean"]) / row["peak_std"], rel=1e-4)


def test_where_channels_are_classes_those_that_make_the_answer_come_first(tmp_path: Path) -> None:
    """As in SqueezeNet: a class whose channel rarely moves is far from its mean at once, and still not the answer."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    torch.onnx.export(net.eval(), (torch.zeros(1, 3, 32, 32),), str(tmp_path / "net.onnx"), dynamo=False)
    library, images = Library(tmp_path / "library"), tiny_images(tmp_path / "images")
    card = open_model(tmp_path / "net.onnx").card
    library.add_model(card, tmp_path / "net.onnx")
    assert build_here(library, {"model": card.id, "images": str(images), "techniques": {"statistics": {}}}, Hands(1))
    (atlas,) = library.atlases()
    request = LookRequest(model=card.id, atlas=atlas.id, number=3, layers=())
    assert look_task(str(library.root), "classes", request)
    found = read_look(library, look_key(library, request))
    assert found is not None
    first, last = found.facts["layers"]
    assert first["measured"]
    assert not last["measured"]
    answers = [each["number"] for each in found.facts["heads"]["output"]]
    shown = [each["channel"] for each in last["channels"]]
    assert len(shown) > 1
    assert shown == answers[: len(shown)]


def test_a_look_is_named_by_the_image_and_what_it_is_looked_at_with(
    library: Library, request_: LookRequest, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(one)
    shutil.copy(one, two)
    own = request_.model_copy(update={"number": None, "image": str(one)})
    key = look_key(library, own)
    assert key == look_key(library, own.model_copy(update={"image": str(two)}))
    assert key == look_key(library, own.model_copy(update={"layers": ("a",)}))
    assert key != look_key(library, own.model_copy(update={"atlas": None}))
    assert look_key(library, request_) != look_key(library, request_.model_copy(update={"number": 4}))
    Image.fromarray(np.full((40, 40, 3), 91, np.uint8)).save(two)
    assert key != look_key(library, own.model_copy(update={"image": str(two)}))


def test_what_is_there_is_not_made_again_and_what_is_missing_is(library: Library, request_: LookRequest) -> None:
    request = request_.model_copy(update={"number": 7})
    look_task(str(library.root), "c", request)
    folder = library.look_folder(look_key(library, request))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "caricature-0001.webp").unlink()
    written = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    look_task(str(library.root), "c", request)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert all(
        (folder / name).stat().st_mtime_ns == moment
        for name, moment in written.items()
        if "caricature-0001" not in name
    )


def test_a_cancelled_look_keeps_what_it_found(library: Library, request_: LookRequest) -> None:
    request = request_.model_copy(update={"number": 9})
    write_atomically(library.job_folder("d") / "cancel", b"")
    assert not look_task(str(library.root), "d", request)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"number": 99}, "images 0 to 19, not 99"),
        ({"number": None, "image": "nowhere/x.png"}, "There is no image x.png"),
        ({"atlas": None, "number": 1}, "image of a probe that there is not"),
        ({"model": "other-12345678"}, "no model “other-12345678”"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(
    library: Library, request_: LookRequest, given: dict[str, object], words: str
) -> None:
    with pytest.raises(StrataError, match=words):
        look_key(library, request_.model_copy(update=given))


def test_a_file_that_is_no_image_ends_the_job_with_a_sentence(
    library: Library, request_: LookRequest, tmp_path: Path
) -> None:
    text = tmp_path / "note.png"
    text.write_text("not an image")
    wanted = {"model": request_.model, "atlas": request_.atlas, "image": str(text)}
    with pytest.raises(StrataError, match="can be read"):
        look_here(library, wanted)


def test_the_command_prints_the_answer_and_leaves_the_pictures(
    library: Library, request_: LookRequest, tmp_path: Path
) -> None:
    image, out = tmp_path / "photo.png", tmp_path / "out"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)).save(image)
    command = ["look", str(image), "--model", request_.model, "--library", str(library.root), "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "σ" in done.output
    names = {file.name for file in out.iterdir()}
    layer = library.models()[0].layers[0].name
    assert "image.png" in names
    assert sum(name.startswith(layer.replace("/", "%2F")) for name in names) == 4
    jobs = Jobs(library.database_url)
    refers = jobs.references()
    freed = {str(each.path) for each in garbage(library, refers.models, refers.jobs, refers.files, refers.looks, 0)}
    (key,) = [job.result["look"] for job in jobs.recent(5) if job.request.get("image") == str(image)]
    assert refers.looks[key] == str(image)
    assert not any(key in path for path in freed)
    without = {str(each.path) for each in garbage(library, refers.models, refers.jobs, refers.files, {}, 0)}
    assert any(key in path for path in without)


@pytest.mark.parametrize(("command", "option"), [("look", "--layers"), ("dream", "--layer")])
def test_a_layer_that_there_is_not_leaves_no_job(library: Library, tmp_path: Path, command: str, option: str) -> None:
    image, filed = next(library.root.parent.glob("images/*/*.png")), len(Jobs(library.database_url).recent())
    place = ["--library", str(library.root), "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(app, [command, str(image), "--model", "tiny", option, "nowhere", *place])
    assert "has no layer “nowhere”" in str(told.exception)
    assert len(Jobs(library.database_url).recent()) == filed
    assert not (tmp_path / "out").exists()


def test_the_layers_drawn_unasked_see_neighbours_and_the_last_is_among_them(library: Library) -> None:
    (card,) = library.models()
    assert layers_to_draw(card) == [layer.name for layer in card.layers]


def test_heat_hides_nothing_where_nothing_answers() -> None:
    image = Image.new("RGB", (20, 10), (200, 100, 50))
    heat = Image.fromarray(np.array([[0, 255]], np.uint8)).resize((20, 10), Image.Resampling.NEAREST)
    mixed = np.asarray(heated(image, heat))
    assert mixed[5, 1].tolist() == [140, 70, 35]
    assert mixed[5, 18].tolist() == pytest.approx(
        [0.8 * 253 + 0.2 * 140, 0.8 * 231 + 0.2 * 70, 0.8 * 37 + 0.2 * 35], abs=1
    )
