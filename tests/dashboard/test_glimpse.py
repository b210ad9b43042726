"""Which pictures stand for a layer: stripes before blanks, no two alike, the same each time."""

from __future__ import annotations

import numpy as np

from analysis import encoding
from analysis.atlas.library import Library
from analysis.task import Task
from dashboard import glimpse
from dashboard.layers import represented
from tests.dashboard.synthetic import TILE, add_atlas, model_card, sheet

LAYER = "features.0.conv"


def stripes(angle: float, shift: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[0:TILE, 0:TILE]
    wave = 0.5 + 0.5 * np.sin(0.8 * (np.cos(angle) * x + np.sin(angle) * y) + shift)
    return encoding.to_pixels(np.repeat(wave[None], 3, 0))


def blank(shade: float) -> np.ndarray:
    return encoding.to_pixels(np.full((3, TILE, TILE), shade))


def spotted() -> np.ndarray:
    picture = blank(1.0)
    picture[30:40, 20:50] = 20
    return picture


def test_edges_of_every_direction_come_before_blanks_and_repetitions() -> None:
    pictures = [blank(0.95), blank(0.1), spotted(), stripes(0), stripes(0, 1.5), stripes(np.pi / 2), blank(0.5)]
    looks = glimpse.looks_of(np.stack(pictures))
    first, second, *_ = glimpse.farthest(looks[:, 1:], looks[:, 0], 3)
    assert {first in (3, 4), second in (3, 4)} == {True, False}
    assert 5 in (first, second)


def test_no_more_are_taken_than_there_are() -> None:
    looks = glimpse.looks_of(np.stack([blank(0.5)] * 3))
    assert sorted(glimpse.farthest(looks[:, 1:], looks[:, 0], 9)) == [0, 1, 2]


def test_the_overview_begins_with_a_layers_edges(own_shelf: Library) -> None:
    atlas = add_atlas(own_shelf, model_card())
    pictures = [blank(number / 16) for number in range(16)]
    pictures[9], pictures[14] = stripes(0), stripes(np.pi / 2)
    old = atlas.tasks("features", LAYER)[0]
    files = {name: atlas.artifacts.read(old)[name] for name in ("features.parquet", "facts.json")}
    task = Task("features", 2, "ab" * 32, "x", LAYER, (0, 16))
    atlas.add_build({"request": {}, "versions": {}}, [task])
    atlas.artifacts.write(task, {**files, "sheet.webp": sheet(pictures)["picture"]})
    layer = atlas.model.layer(LAYER)
    assert set(represented(atlas, layer, 3)[:2]) == {9, 14}
    assert len(represented(atlas, layer, 99)) == 15, "one is dead"


def test_a_damaged_sheet_is_no_obstacle(own_shelf: Library) -> None:
    atlas = add_atlas(own_shelf, model_card("torn", "77" * 32))
    for file in atlas.root.rglob("features/**/sheet.webp"):
        file.write_bytes(b"torn")
    assert len(represented(atlas, atlas.model.layer(LAYER), 3)) == 3


def test_of_a_wide_layer_only_some_sheets_are_looked_at(own_shelf: Library) -> None:
    atlas = add_atlas(own_shelf, model_card("wide", "88" * 32, (512,)))
    glimpse.looks_of_sheet.cache_clear()
    assert len(represented(atlas, atlas.model.layer(LAYER), 16)) == 16
    assert glimpse.looks_of_sheet.cache_info().misses == glimpse.CANDIDATES // 16
