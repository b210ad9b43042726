"""Where each channel answers in its exemplars: from planned tasks to the sheet, on a net whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from analysis import encoding
from analysis.exemplars.heat import COLUMNS, Heat, HeatParameters, HeatPass
from analysis.exemplars.technique import ExemplarParameters, Exemplars
from analysis.models.model import Model
from analysis.probe import open_probe
from analysis.statistics.technique import Measure, MeasureParameters
from analysis.technique import Wanted
from tests.exemplars.test_technique import Build
from tests.looking.nets import finder, spot

SIDE = 16
WANTED = Wanted(("0", "2"))
PLACES = [(6 + 9 * (number % 5), 8 + 12 * (number // 5)) for number in range(20)]
"""Where the white spot of each image is, px."""


def build_of(model: Model, folder: Path) -> Build:
    for number, (y, x) in enumerate(PLACES):
        pixels = (spot(y, x)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    build = Build(model, open_probe(str(folder)))
    build.run(Measure(), MeasureParameters(shard=7), WANTED)
    build.run(Exemplars(), ExemplarParameters(), WANTED)
    build.run(HeatPass(), HeatParameters(side=SIDE), WANTED)
    build.run(Heat(), HeatParameters(side=SIDE), WANTED)
    return build


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    model = finder()
    spec = replace(model.card.input, crop=1.0)
    return build_of(replace(model, card=replace(model.card, input=spec)), tmp_path_factory.mktemp("spots"))


def table_of(build: Build, layer: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The table, and the shades of each row [n, SIDE, SIDE]."""
    (task,) = [task for task in build.planned["heat"] if task.layer == layer]
    artifact = build.artifacts[task.key]
    table = encoding.from_parquet(artifact["heat.parquet"])
    columns = encoding.from_json(artifact["facts.json"])["columns"]
    sheet = encoding.from_picture(artifact["heat.webp"])[..., 0]
    places = [divmod(int(tile), columns) for tile in table["tile"]]
    return table, np.stack([sheet[y * SIDE : (y + 1) * SIDE, x * SIDE : (x + 1) * SIDE] for y, x in places])


@pytest.mark.parametrize("layer", ["0", "2"])
def test_the_channel_for_brightness_answers_at_the_spot(build: Build, layer: str) -> None:
    table, shades = table_of(build, layer)
    rows = table["channel"] == 0
    assert rows.sum() == 15
    stride = 2 if layer == "0" else 4
    for image, heat in zip(table["image"][rows], shades[rows.to_numpy()], strict=True):
        y, x = PLACES[image]
        rows_, columns = np.nonzero(heat >= 0.9 * heat.max())
        assert abs((rows_.mean() + 0.5) * 48 / SIDE - y - 0.5) <= stride + 48 / SIDE / 2
        assert abs((columns.mean() + 0.5) * 64 / SIDE - x - 0.5) <= stride + 64 / SIDE / 2


def test_every_exemplar_has_a_map_and_nothing_else_has(build: Build) -> None:
    for layer in ("0", "2"):
        (task,) = [task for task in build.planned["exemplars"] if task.layer == layer]
        exemplars = encoding.from_parquet(build.artifacts[task.key]["exemplars.parquet"])
        table, _shades = table_of(build, layer)
        assert list(table.columns) == list(COLUMNS)
        wanted = sorted(zip(exemplars["channel"], exemplars["image"], strict=True))
        assert list(zip(table["channel"], table["image"], strict=True)) == wanted


def test_what_is_silent_has_no_shades_and_no_strength(build: Build) -> None:
    table, shades = table_of(build, "2")
    silent = (table["channel"] == 2).to_numpy()
    assert silent.any()
    assert (table["strength"][silent] == 0).all()
    assert shades[silent].max() <= 8  # WebP loses a little
    assert table["strength"][~silent].between(0, 1).all()


def test_strength_is_beside_the_channels_strongest(build: Build) -> None:
    table, _shades = table_of(build, "0")
    for _channel, rows in table.groupby("channel"):
        np.testing.assert_allclose(rows["strength"], rows["reach"] / rows["reach"].max(), rtol=1e-6)


def test_shards_do_not_matter(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same table and sheet, however the images are cut into tasks."""
    monkeypatch.setattr("analysis.exemplars.heat.SHARD", 6)
    other = Build(build.model, build.probe)
    other.artifacts, other.planned = dict(build.artifacts), dict(build.planned)
    other.run(HeatPass(), HeatParameters(side=SIDE), WANTED)
    assert len(other.planned["heat-pass"]) == 4
    for one, two in zip(
        [build.artifacts[task.key] for task in build.planned["heat"]],
        other.run(Heat(), HeatParameters(side=SIDE), WANTED),
        strict=True,
    ):
        assert one["heat.webp"] == two["heat.webp"]
        pd.testing.assert_frame_equal(*(encoding.from_parquet(each["heat.parquet"]) for each in (one, two)))


def test_a_net_that_runs_one_by_one_gives_the_same(build: Build) -> None:
    model = replace(build.model, card=replace(build.model.card, one_by_one=True))
    other = Build(model, build.probe)
    other.artifacts, other.planned = dict(build.artifacts), dict(build.planned)
    (one,) = other.run(HeatPass(), HeatParameters(side=SIDE), WANTED)
    (two,) = [build.artifacts[task.key] for task in build.planned["heat-pass"]]
    for name in two:
        parts = [encoding.from_npz(each[name]) for each in (one, two)]
        order = [np.lexsort((part["image"], part["channel"])) for part in parts]
        torch.testing.assert_close(
            *(torch.from_numpy(part["reach"][rows]) for part, rows in zip(parts, order, strict=True))
        )


def test_a_layer_of_which_no_image_gives_a_number_has_no_sheet(tmp_path: Path) -> None:
    model = finder()
    model.module[0].weight.data[:] = torch.nan
    spec = replace(model.card.input, crop=1.0)
    done = build_of(replace(model, card=replace(model.card, input=spec)), tmp_path)
    for task in done.planned["heat"]:
        artifact = done.artifacts[task.key]
        assert encoding.from_parquet(artifact["heat.parquet"]).empty
        assert "heat.webp" not in artifact
