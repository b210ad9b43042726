"""One unit drawn on request: the job, the command, what stands in the atlas afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from analysis.atlas.library import Library
from analysis.cli import app
from analysis.errors import StrataError
from analysis.jobs.local import atlas_for, render_here
from analysis.jobs.prepare import prepare_render
from analysis.jobs.request import RenderRequest
from analysis.jobs.table import Jobs
from analysis.models.open import open_model
from tests.tiny import tiny_images, tiny_onnx


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("render")
    file = tiny_onnx(folder / "tiny.onnx")
    library = Library(folder / "library")
    library.add_model(open_model(file).card, file)
    atlas_for(library, library.models()[0], tiny_images(folder / "images"))
    return library


def layers_of(library: Library) -> list[str]:
    return [layer.name for layer in library.models()[0].layers]


def test_a_render_lands_in_the_atlas_with_its_parameters(library: Library) -> None:
    (atlas,) = library.atlases()
    layer = layers_of(library)[1]
    settings = {"steps": 4, "faces": 2, "negative": True, "mix": {"3": -1}}
    made = render_here(library, {"atlas": atlas.id, "layer": layer, "channel": 5, "parameters": settings})
    (listed,) = atlas.renders(layer, 5)
    assert listed.key == made.key
    assert settings.items() <= dict(listed.parameters).items()
    assert made.table is not None
    assert made.table["face"].tolist() == [0, 1]
    assert made.table["natural"].notna().all()
    names = {file.name for file in atlas.path(str(made.folder)).iterdir()}
    assert {"face-0.webp", "face-1.webp", "face-0-alpha.webp", "face-1-alpha.webp", "facts.json"} <= names
    assert atlas.renders(layer, 4) == []
    assert atlas.features(layer) is None, "what was asked for of one unit is not the picture of the atlas"


def test_the_command_draws_a_class_and_says_what_it_reaches(library: Library, tmp_path: Path) -> None:
    (card,) = library.models()
    out = tmp_path / "class.png"
    command = ["render", card.id, "output:2", "--faces", "3", "--sign", "-1", "--alpha", "--set", "steps=3"]
    done = CliRunner().invoke(app, [*command, "--out", str(out), "--library", str(library.root)])
    assert done.exit_code == 0, done.output
    with Image.open(out) as image:
        assert image.mode == "RGBA"
        assert image.size == (3 * 32, 32)
    (atlas,) = library.atlases()
    assert len(atlas.renders("output", 2)) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"channel": 12}, "channels 0 to 11, not 12"),
        ({"layer": "nowhere"}, "has no layer “nowhere”"),
        ({"parameters": {"faces": 99}}, "Renders can not be made with faces"),
    ],
)
def test_what_can_not_be_drawn_says_why(library: Library, change: dict, sentence: str) -> None:
    request = {"atlas": library.atlases()[0].id, "layer": layers_of(library)[1], "channel": 0, "parameters": {}}
    with pytest.raises(StrataError, match=sentence):
        prepare_render(str(library.root), RenderRequest(**{**request, **change}))


@pytest.mark.parametrize(
    ("unit", "options", "sentence"),
    [
        ("nowhere:0", [], "has no layer “nowhere”"),
        ("output:9", [], "channels 0 to 4, not 9"),
        ("conv1", [], "“conv1” names no channel. Write layer:channel, such as"),
        ("output:0", ["--set", "foo=1"], "Renders has no “foo”"),
        ("output:0", ["--planes"], "Leave --planes out"),
        ("output:0", ["--images", "nowhere"], "There is nothing at"),
    ],
)
def test_what_is_mistyped_leaves_no_job_and_no_atlas(
    library: Library, tmp_path: Path, unit: str, options: list[str], sentence: str
) -> None:
    jobs, before = Jobs(library.database_url), len(library.atlases())
    filed = len(jobs.recent())
    command = ["render", "tiny", unit, *options, "--out", str(tmp_path / "x.png"), "--library", str(library.root)]
    told = CliRunner().invoke(app, command)
    assert sentence in str(told.exception)
    assert (len(jobs.recent()), len(library.atlases())) == (filed, before)
