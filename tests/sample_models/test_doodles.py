"""Doodle world: endless, repeatable, and what it says it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sample_models.catalog import draw_probe
from sample_models.doodles import CLASSES, SIZE, draw
from sample_models.doodles.__main__ import main
from sample_models.doodles.draw import draw_with_silhouette
from sample_models.doodles.probe import write_probe


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, len(CLASSES) - 1))
def test_an_image_is_decided_by_its_seed_and_class(seed: int, cls: int) -> None:
    image, label = draw(seed, cls)
    again, _ = draw(seed, CLASSES[cls])
    assert image.shape == (SIZE, SIZE, 3)
    assert image.dtype == np.uint8
    assert label == cls
    assert np.array_equal(image, again)


@pytest.mark.parametrize("name", CLASSES)
def test_no_two_seeds_give_one_picture(name: str) -> None:
    images = [draw(seed, name)[0].astype(float) for seed in range(4)]
    for index, image in enumerate(images):
        assert image.std() > 10, "a picture, not a flat sheet"
        for other in images[:index]:
            assert np.abs(image - other).mean() > 5


@pytest.mark.parametrize("name", CLASSES)
def test_the_thing_is_in_the_picture(name: str) -> None:
    shares = [draw_with_silhouette(seed, name)[1].mean() / 255 for seed in range(6)]
    assert all(0.03 < share < 0.8 for share in shares)


def test_a_class_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="dragon"):
        draw(0, "dragon")
    with pytest.raises(ValueError, match="12"):
        draw(0, 12)


def test_a_probe_on_disk_is_the_same_files_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_probe(tmp_path / name, 14, seed=3)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.png"))
    assert len(files) == 14
    assert {path.parts[0] for path in files} == set(CLASSES)
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_the_command_line_draws_a_folder_and_never_into_a_full_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sample_models.doodles", str(tmp_path / "probe"), "--count", "3", "--seed", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with Image.open(next((tmp_path / "probe").rglob("*.png"))) as image:
        assert image.size == (SIZE, SIZE)
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_the_command_line_draws_what_a_sample_is_measured_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["doodles", *arguments])
        main()

    typed(str(tmp_path / "probe"), "--sample", "doodles-shortcut", "--count", "13")
    draw_probe(tmp_path / "same", "doodles-shortcut", 13)
    for path in (tmp_path / "same").rglob("*.png"):
        assert (tmp_path / "probe" / path.relative_to(tmp_path / "same")).read_bytes() == path.read_bytes()
    assert len(list((tmp_path / "probe").iterdir())) == 13, "toadstools among them"
    for name, sentence in (("photos", "do not ship"), ("none", "There is no sample")):
        with pytest.raises(SystemExit):
            typed(str(tmp_path / name), "--sample", name)
        assert sentence in capsys.readouterr().err
