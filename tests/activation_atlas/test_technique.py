"""An atlas of a layer whose channels are known: its cells are what was planted, and are drawn as it looks."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from analysis import encoding, technique
from analysis.activation_atlas.goal import DirectionGoal
from analysis.activation_atlas.parameters import AtlasParameters
from analysis.activation_atlas.table import COLUMNS
from analysis.activation_atlas.technique import ActivationAtlas
from analysis.errors import StrataError
from analysis.features.prior import prior_without_images
from analysis.models.model import Model
from analysis.probe.open import open_probe
from analysis.probe.probe import Probe
from analysis.task import Task
from tests.features.nets import model_of, spec_of

COLOURS = {"blue": (0.1, 0.1, 0.9), "green": (0.1, 0.9, 0.1), "red": (0.9, 0.1, 0.1)}


class Colours(nn.Module):
    """Channels 0, 1, 2 are red, green, blue above grey; the head says which is most."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        for channel in range(3):
            self.conv.weight.data[channel, channel] = 1 / 9

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images).relu().mean((2, 3)).flip(1)


def images_of(folder: Path, each: int = 8) -> Path:
    """Images of one noisy colour each, in a folder a colour."""
    draw = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        for number in range(each):
            pixels = np.clip(np.array(colour) + 0.05 * draw.normal(size=(48, 48, 3)), 0, 1)
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray((255 * pixels).round().astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


def made(model: Model, probe: Probe, **settings: int) -> dict[str, bytes]:
    prior = prior_without_images(3, 48, 48)
    chosen = AtlasParameters(**{"positions": 240, "cells": 4, "steps": 24, "size": 32, **settings})
    task = Task("activation-atlas", 1, "m", "p", "conv", parameters=chosen.model_dump(), needs=("prior",))
    inputs = {"prior": {"prior.npz": encoding.to_npz(prior.to_arrays())}}
    return dict(ActivationAtlas().run(task, technique.Context(lambda: model, lambda: probe, inputs)))


@pytest.fixture(scope="module")
def model() -> Model:
    return model_of(Colours(), spec_of())


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Probe:
    return open_probe(str(images_of(tmp_path_factory.mktemp("colours"))))


@pytest.fixture(scope="module")
def files(model: Model, probe: Probe) -> dict[str, bytes]:
    return made(model, probe)


def cells(files: dict[str, bytes]) -> pd.DataFrame:
    return encoding.from_parquet(files["cells.parquet"])


def sheet_tile(files: dict[str, bytes], number: int) -> np.ndarray:
    facts = encoding.from_json(files["facts.json"])
    width, height = facts["tile"]
    row, column = divmod(number, facts["columns"])
    page = np.asarray(Image.open(io.BytesIO(files["sheet.webp"])).convert("RGB"))
    return page[row * height : (row + 1) * height, column * width : (column + 1) * width]


def test_every_cell_is_of_one_colour_and_drawn_in_it(files: dict[str, bytes]) -> None:
    table = cells(files)
    assert set(table["label"]) == set(COLOURS)
    for row in table.to_dict("records"):
        assert row["label_share"] == 1
        tile = sheet_tile(files, row["cell"]).reshape(-1, 3).mean(0)
        assert tile.argmax() == np.argmax(COLOURS[row["label"]]), row["label"]
        assert row["answers"][0] == row["label"]
        assert row["channels"][0] == np.argmax(COLOURS[row["label"]])
        assert row["count"] >= row["images"] >= len(row["examples"]) == len(set(row["example_images"]))


def test_examples_are_patches_of_the_cell_each_of_another_image(files: dict[str, bytes]) -> None:
    table = cells(files)
    facts = encoding.from_json(files["facts.json"])
    page = np.asarray(Image.open(io.BytesIO(files["patches.webp"])).convert("RGB"))
    numbers = [tile for tiles in table["examples"] for tile in tiles]
    assert numbers == list(range(len(numbers)))
    for row in table.to_dict("records"):
        for tile in row["examples"]:
            y, x = (each * facts["patch"] for each in divmod(tile, facts["patch_columns"]))
            colour = page[y : y + facts["patch"], x : x + facts["patch"]].mean((0, 1))
            assert colour.argmax() == np.argmax(COLOURS[row["label"]])


def test_the_documented_columns_are_those_that_are_written(files: dict[str, bytes]) -> None:
    assert list(cells(files).columns) == list(COLUMNS)


def test_places_say_which_cell_they_lie_in(files: dict[str, bytes]) -> None:
    places, table = encoding.from_parquet(files["positions.parquet"]), cells(files)
    counts = places[places["cell"] >= 0].groupby("cell").size()
    assert counts.to_dict() == dict(zip(table["cell"], table["count"], strict=True))
    assert len(places) == encoding.from_json(files["facts.json"])["positions"] == 240


def test_the_same_seed_gives_the_same_bytes(files: dict[str, bytes], model: Model, probe: Probe) -> None:
    assert made(model, probe) == files
    assert made(model, probe, seed=1)["positions.parquet"] != files["positions.parquet"]


def test_too_few_images_are_told(model: Model, tmp_path: Path) -> None:
    few = open_probe(str(images_of(tmp_path, each=1)), count=1)
    with pytest.raises(StrataError, match="too few for an activation atlas"):
        made(model, few)


def test_a_score_is_highest_along_its_direction_and_knows_no_place() -> None:
    goal = DirectionGoal(torch.eye(3)[:1], torch.zeros(3), torch.ones(3), torch.zeros(3))
    along, beside, against = (torch.tensor(each).view(1, 3, 1, 1) for each in ([3.0, 0, 0], [3.0, 4, 0], [-3.0, 0, 0]))
    assert goal.scores(along, [0]).item() == pytest.approx(3)
    assert goal.scores(beside, [0]).item() == pytest.approx(3 * 0.6**2)
    assert goal.scores(against, [0]).item() == pytest.approx(-3 * 0.1**2)
    assert goal.scores(along.expand(1, 3, 5, 7), [0]).item() == pytest.approx(3)
