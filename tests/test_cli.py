"""The command line as a person meets it: real processes, their output, their exit status."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner

from analysis.atlas.library import Library
from analysis.cli import app
from analysis.comparison.compare import MODEL_COLUMNS
from analysis.errors import StrataError
from analysis.jobs.local import assignments, requested, writable
from analysis.jobs.prepare import prepare
from analysis.jobs.request import BuildRequest
from analysis.models.open import inspect_model
from analysis.probe.probe import ProbeCard
from tests.tiny import tiny_images, tiny_onnx


def strata(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analysis.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_onnx(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def library(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with the atlases of two nets that differ by their seed."""
    folder = tmp_path_factory.mktemp("library")
    images = tiny_images(folder / "images")
    (images / "even" / "broken.png").write_bytes(b"no picture")
    other = tiny_onnx(folder / "other.onnx", seed=1)
    for file in (model, other):
        built = strata("build", file, "--images", images, "--library", folder / "library", "--steps", 2, "--workers", 1)
        assert (built.returncode, "Traceback" in built.stderr) == (0, False), built.stderr
        assert "2/2 layers · 20/20 channels" in built.stderr, "the classes are no layer"
        assert "could not be read and were left out: 1" in built.stderr
        assert "broken.png" in built.stderr
        assert Path(built.stdout.strip()).is_dir()
    return folder / "library"


def test_inspect_prints_the_layers_as_a_table_and_as_json(model: Path) -> None:
    table = strata("inspect", model)
    assert table.returncode == 0
    assert "3 → 8" in table.stdout
    assert "2 conv layers, 20 channels" in table.stdout
    facts = json.loads(strata("inspect", model, "--json").stdout)
    assert {"format", "architecture", "sha256", "input", "layers", "warnings"} <= facts.keys()
    assert {"channels", "height", "width", "mean", "std", "range", "order"} <= facts["input"].keys()
    first, second = facts["layers"]
    expected = {"kind": "Conv2d", "in_channels": 3, "out_channels": 8, "kernel_size": [3, 3], "stride": [1, 1]}
    assert {name: first[name] for name in expected} == expected
    assert (first["receptive_field"], first["parameters"]) == ([3, 3], 3 * 8 * 9 + 8)
    assert second["receptive_field"] == [8, 8]  # 3, pooled by 2: 4, then 3×3 at a jump of 2: 4 + 2·2


@pytest.mark.parametrize(
    "content", [None, b"", b"not a model\n", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"]
)
def test_what_can_not_be_opened_is_two_sentences_and_status_2(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "net.pth"
    if content is not None:
        file.write_bytes(content)
    told = strata("inspect", file, "--json")
    assert (told.returncode, told.stdout) == (2, "")
    assert "net.pth" in told.stderr
    assert 1 <= told.stderr.count(". ") + told.stderr.count(".\n") <= 3
    assert "Traceback" not in told.stderr


def test_a_build_of_what_is_no_model_leaves_no_library(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(b"not a model")
    told = strata("build", tmp_path / "net.pth", "--library", tmp_path / "library")
    assert (told.returncode, told.stdout) == (2, "")
    assert "net.pth" in told.stderr
    assert not (tmp_path / "library").exists()


def test_compare_prints_a_row_a_layer(library: Path) -> None:
    first, second = sorted(path.name for path in (library / "models").iterdir())
    table = strata("compare", first, second, "--library", library)
    assert table.returncode == 0
    heads, *layers = table.stdout.splitlines()
    assert len(layers) == 2
    assert ("mean shift" in heads, "std ratio" in heads) == (True, False)
    assert "mean shift: mean over the channels" in table.stderr
    every = strata("compare", first, second, "--library", library, "--all")
    for name, meaning in MODEL_COLUMNS.items():
        assert name.replace("_", " ") in every.stdout
        assert meaning in every.stderr
    rows = json.loads(strata("compare", first, second, "--library", library, "--json").stdout)
    assert [row["channels_a"] for row in rows] == [8, 12]
    assert all(row["mean_shift"] > 0 for row in rows)
    same = json.loads(strata("compare", first, first, "--library", library, "--json").stdout)
    assert all(row["mean_shift"] == 0 for row in same)


def test_diagnose_prints_findings_and_what_was_not_judged(library: Path) -> None:
    first, *_ = sorted(path.name for path in (library / "models").iterdir())
    told = strata("diagnose", first, "--library", library)
    assert (told.returncode, told.stderr) == (0, "")
    facts = json.loads(strata("diagnose", first, "--library", library, "--json").stdout)
    assert facts.keys() == {"findings", "missing"}
    for finding in facts["findings"]:
        assert finding["severity"] in {"high", "medium", "low"}
        assert {"high": "grave", "medium": "doubtful", "low": "to know"}[finding["severity"]] in told.stdout
        assert finding["title"] in told.stdout


def test_compare_with_a_model_that_is_not_there_offers_the_nearest(library: Path) -> None:
    told = strata("compare", "tiny", "othre", "--library", library)
    assert (told.returncode, told.stdout) == (2, "")
    assert "nearest is other-" in told.stderr


def test_dream_rewrites_an_image_of_any_size(library: Path, tmp_path: Path) -> None:
    image = tmp_path / "photo.jpg"
    Image.open(next((library.parent / "images").rglob("*.png"))).resize((90, 60)).save(image)
    name = next(path.name for path in (library / "models").iterdir() if path.name.startswith("tiny"))
    layer = json.loads((library / "models" / name / "card.json").read_text())["card"]["layers"][0]["name"]
    out = tmp_path / "dream.png"
    told = strata(
        "dream", image, "--model", name, "--layer", layer, "--out", out, "--library", library, "--set", "steps=2"
    )
    assert told.returncode == 0, told.stderr
    with Image.open(out) as dreamt, Image.open(image) as original:
        assert dreamt.size == (90, 60)
        assert dreamt.tobytes() != original.tobytes()
    wrong = strata("dream", image, "--model", name, "--layer", "nowhere", "--out", out, "--library", library)
    assert wrong.returncode == 2
    assert "no layer “nowhere”" in wrong.stderr


def test_a_folder_without_images_is_a_sentence(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    told = strata("build", model, "--images", tmp_path / "empty", "--library", tmp_path / "library", "--workers", 1)
    assert told.returncode == 2
    assert "empty" in told.stderr
    assert "Traceback" not in told.stderr


def test_images_by_the_name_of_a_data_set_some_of_them_and_one_that_does_not_fit(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`torchvision:…` is no path; another --count-seed takes other images; a file of five bands is left out."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, 6 * 32 * 32).astype(np.uint8).tobytes()
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">BBBBiii", 0, 0, 8, 3, 6, 32, 32) + pixels)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">BBBBi", 0, 0, 8, 1, 6) + bytes(range(6)))
    images = tiny_images(tmp_path / "images", 4)
    tifffile.imwrite(images / "odd" / "five.tif", np.zeros((5, 8, 8), np.uint16), photometric="minisblack")
    asked: list[dict[str, object]] = []

    def build_here(library: Library, request: dict[str, object], on: object) -> None:
        asked.append(request)
        raise StrataError("asked")

    monkeypatch.setattr("analysis.jobs.local.build_here", build_here)
    monkeypatch.setattr("analysis.models.guard.inspect_guarded", inspect_model)
    monkeypatch.chdir(tmp_path)

    def probe_of(*arguments: object) -> ProbeCard:
        command = ["build", model, "--library", "library", "--only", "statistics", *arguments]
        CliRunner().invoke(app, [str(each) for each in command])
        atlas, _ = prepare("library", BuildRequest(**asked[-1]))
        probe = Library("library").atlas(atlas).probe
        assert probe is not None
        return probe

    first = probe_of("--images", "torchvision:MNIST:data", "--count", 3)
    other = probe_of("--images", "torchvision:MNIST:data", "--count", 3, "--count-seed", 1)
    folder = probe_of("--images", "images")
    assert first.source == f"torchvision:MNIST:{tmp_path / 'data'}"
    assert other.options == {"count": 3, "seed": 1, "channels": 3}
    assert first.hash != other.hash
    assert (first.count, other.count, folder.count) == (3, 3, 4)
    assert folder.skipped == (("odd/five.tif", "it has 5 channels and the model wants 3"),)


def test_settings_are_read_as_json_where_they_are_json() -> None:
    assert assignments(["steps=32", "name=x y", "size=null"]) == {"steps": 32, "name": "x y", "size": None}


def test_only_and_set_choose_techniques_and_their_parameters() -> None:
    chosen = requested("features,exemplars", (), {"steps": 8, "size": None}, ["features.rate=0.1"])
    assert chosen == {"features": {"steps": 8, "rate": 0.1}, "exemplars": {}, "images": {}}


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (["--images", "nowhere"], "There is nothing at"),
        (["--only", "nonsense"], "no technique “nonsense”"),
        (["--set", "features.foo=1"], "has no “foo”. It has steps"),
        (["--steps", "0"], "steps = 0"),
        (["--channels", "first"], "does not name channels"),
    ],
)
def test_what_is_mistyped_is_said_before_the_model_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: list[str], sentence: str
) -> None:
    monkeypatch.setattr("analysis.cli._open_card", lambda *_, **__: pytest.fail("the model was opened"))
    told = CliRunner().invoke(app, ["build", "net.onnx", "--library", str(tmp_path / "library"), *mistake])
    assert sentence in str(told.exception)


def test_a_layer_that_there_is_not_is_said_before_anything_is_kept(model: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["build", str(model), "--layers", "conv99", "--library", str(tmp_path / "library")])
    assert "has no layer “conv99”" in str(told.exception)
    assert not (tmp_path / "library").exists()


def test_a_place_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file.png"
    file.write_bytes(b"as it was")
    for out, folder, sentence in [
        (tmp_path, False, "is a folder. Name a file"),
        (file, True, "is a file. Name a folder"),
        (tmp_path / "none" / "x.png", False, "does not exist. Make it first"),
        (Path("/proc/x.png"), False, "can not be written"),
        (Path("/proc/lk"), True, "can not be written"),
        (file / "below", True, "can not be written"),
    ]:
        with pytest.raises(StrataError, match=sentence):
            writable(out, folder)
    for out, folder in [(file, False), (tmp_path / "new.png", False), (tmp_path / "new" / "folder", True)]:
        writable(out, folder)
    assert [each.name for each in tmp_path.iterdir()] == ["file.png"], "asking leaves nothing"
    assert file.read_bytes() == b"as it was"


@pytest.mark.parametrize("command", [["dream", "x.png", "--model", "m", "--layer", "l"], ["render", "m", "l:0"]])
def test_a_place_that_can_not_be_written_is_said_before_the_work(tmp_path: Path, command: list[str]) -> None:
    told = CliRunner().invoke(app, [*command, "--out", str(tmp_path), "--library", str(tmp_path / "library")])
    assert "is a folder. Name a file" in str(told.exception)


def test_a_name_that_is_neither_a_file_nor_a_model_says_so(library: Path, tmp_path: Path) -> None:
    command = ["dream", "x.png", "--layer", "l", "--out", str(tmp_path / "x.png"), "--library", str(library)]
    told = str(CliRunner().invoke(app, [*command, "--model", "nope.onnx"]).exception)
    assert told.startswith("nope.onnx is no file here. There is no model “nope.onnx” in the library. What there is: ")
