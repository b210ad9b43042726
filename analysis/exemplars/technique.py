"""`exemplars`: the images and patches of each channel. `images`: the whole images that they refer to, made small."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import Field

from analysis import encoding, technique
from analysis.exemplars.choose import Exemplar, exemplars_of
from analysis.exemplars.patches import patch_box, shown, tile_of
from analysis.statistics.technique import file_of, merged_state
from analysis.task import Task

if TYPE_CHECKING:
    from analysis.models.layers import ConvLayer
    from analysis.models.model import ModelCard
    from analysis.probe.probe import Probe, ProbeCard

CHUNK = 64
"""Channels a task."""

LONGEST_SHEET = 8192
"""px: WebP ends at 16383, and browsers draw smaller ones faster."""


class ExemplarParameters(technique.Parameters):
    top: int = Field(9, ge=1, le=64, description="Strongest images a channel.")
    median: int = Field(3, ge=0, le=16, description="Images a channel that excite it like most do.")
    least: int = Field(3, ge=0, le=64, description="Weakest images a channel.")
    tile: int = Field(96, ge=16, le=256, description="Side of a patch on the sheet, px.")


class Exemplars(technique.Technique):
    name = "exemplars"
    title = "Exemplars"
    about = "For each channel, the real images that excite it most, and the patch of each that does."
    requires = ("measure",)
    Parameters = ExemplarParameters

    def plan(
        self,
        model: ModelCard,
        probe: ProbeCard | None,
        wanted: technique.Wanted,
        parameters: Any,
        required: Mapping[str, Sequence[Task]],
    ) -> list[Task]:
        shards = required["measure"]
        if probe is None or not shards:
            return []
        return [
            Task(
                self.name,
                self.version,
                model.sha256,
                probe.hash,
                layer,
                channels,
                parameters={
                    **parameters.model_dump(),
                    "file": file_of(shards[0].parameters["layers"], layer),
                },
                needs=tuple(shard.key for shard in shards),
                priority=92,
            )
            for layer in wanted.layers
            for channels in ranges(wanted.channels_of(model.layer(layer).out_channels))
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.layer is not None
        assert task.channels is not None
        settings, layer = task.parameters, context.model().card.layer(task.layer)
        state = merged_state(settings["file"], [context.inputs[key] for key in task.needs])
        found = [
            exemplar
            for channel in range(*task.channels)
            for exemplar in exemplars_of(state, channel, settings["top"], settings["median"], settings["least"])
        ]
        context.report(0.3)
        table, tiles = _cut(found, layer, context.probe(), context.model().card, settings["tile"])
        columns = settings["top"] + settings["median"] + settings["least"]
        columns *= max(1, math.isqrt(len(tiles) // columns) // columns) if tiles else 1
        return {"exemplars.parquet": encoding.to_parquet(table)} | sheet_files("patches.webp", tiles, columns)


def ranges(channels: Sequence[int]) -> list[tuple[int, int]]:
    """Channel numbers → half-open ranges that cover just these, none longer than CHUNK or across its multiples."""
    found: list[list[int]] = []
    for channel in sorted(channels):
        if found and found[-1][1] == channel and channel % CHUNK:
            found[-1][1] = channel + 1
        else:
            found.append([channel, channel + 1])
    return [(start, stop) for start, stop in found]


def sheet_files(name: str, tiles: Sequence[np.ndarray], columns: int) -> dict[str, bytes]:
    """A sheet of square tiles and the facts that find a tile on it. No sheet where there are no tiles."""
    facts = {"tile": tiles[0].shape[0] if tiles else 0, "columns": columns}
    files = {"facts.json": encoding.to_json(facts)}
    return files | ({name: encoding.to_picture(encoding.sheet(tiles, columns))} if tiles else {})


def _cut(
    found: Sequence[Exemplar], layer: ConvLayer, probe: Probe, model: ModelCard, size: int
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The rows of the table and the tiles, in one order; each image is decoded once."""
    spec, names, labels = model.input, probe.names, probe.labels
    map_width = (layer.output_size or (1, 1))[-1]
    by_image: dict[int, list[int]] = {}
    for number, exemplar in enumerate(found):
        by_image.setdefault(exemplar.image, []).append(number)
    rows: list[dict[str, Any]] = [{}] * len(found)
    tiles: list[np.ndarray] = [np.zeros((size, size, 3), np.uint8)] * len(found)
    for image, numbers in sorted(by_image.items()):
        pixels = probe.batch([image], spec)[0].numpy()
        for number in numbers:
            exemplar = found[number]
            y, x = divmod(exemplar.place, map_width)
            box = patch_box(layer, y, x, spec.height, spec.width)
            tiles[number] = tile_of(pixels, box, size)
            rows[number] = {
                "channel": exemplar.channel,
                "rank": exemplar.rank,
                "kind": exemplar.kind,
                "image": image,
                "name": names[image],
                "label": class_name(labels, probe.card.classes, image),
                "value": exemplar.value,
                "y": y,
                "x": x,
                "top": box[0],
                "left": box[1],
                "bottom": box[2],
                "right": box[3],
                "tile": number,
            }
    return pd.DataFrame(rows, columns=EXEMPLAR_COLUMNS), tiles


EXEMPLAR_COLUMNS = [
    *("channel", "rank", "kind", "image", "name", "label", "value"),
    *("y", "x", "top", "left", "bottom", "right", "tile"),
]


def class_name(labels: np.ndarray | None, classes: Sequence[str], image: int) -> str | None:
    """The name of an image's class; its number where classes have no names; None where it has no label."""
    if labels is None:
        return None
    label = int(labels[image])
    return classes[label] if label < len(classes) else str(label)


class ImagesParameters(technique.Parameters):
    tile: int = Field(160, ge=32, le=512, description="Longest side of an image on the sheets, px.")


class Images(technique.Technique):
    name = "images"
    title = "Images"
    about = "The images that some exemplar comes from, small, each once."
    requires = ("exemplars",)
    Parameters = ImagesParameters

    def plan(
        self,
        model: ModelCard,
        probe: ProbeCard | None,
        wanted: technique.Wanted,
        parameters: Any,
        required: Mapping[str, Sequence[Task]],
    ) -> list[Task]:
        exemplars = required["exemplars"]
        if probe is None or not exemplars:
            return []
        needs = tuple(task.key for task in exemplars)
        facts = parameters.model_dump()
        return [Task(self.name, self.version, model.sha256, probe.hash, parameters=facts, needs=needs, priority=91)]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        probe, spec = context.probe(), context.model().card.input
        tables = (encoding.from_parquet(context.inputs[key]["exemplars.parquet"]) for key in task.needs)
        images = sorted(set().union(*(set(table["image"].tolist()) for table in tables)))
        tile = task.parameters["tile"]
        columns = max(1, min(LONGEST_SHEET // tile, math.ceil(math.sqrt(len(images)))))
        a_sheet = columns * (LONGEST_SHEET // tile)
        files: dict[str, bytes] = {"facts.json": encoding.to_json({"tile": tile, "columns": columns})}
        for sheet, start in enumerate(range(0, len(images), a_sheet)):
            mine = images[start : start + a_sheet]
            tiles = [_on_square(pixels, tile) for pixels in _each(probe, mine, spec)]
            files[f"sheet-{sheet}.webp"] = encoding.to_picture(encoding.sheet(tiles, columns))
            context.report((start + len(mine)) / len(images))
        return files | {"images.parquet": encoding.to_parquet(_images_table(images, probe, a_sheet))}


def _each(probe: Probe, images: Sequence[int], spec: Any) -> Iterable[np.ndarray]:
    return (probe.batch([image], spec)[0].numpy() for image in images)


def _on_square(pixels: np.ndarray, tile: int) -> np.ndarray:
    """The whole prepared image, as large as fits, in the middle of a black square."""
    scale = tile / max(pixels.shape[1:])
    height, width = (max(1, round(side * scale)) for side in pixels.shape[1:])
    square = np.zeros((tile, tile, 3), np.uint8)
    top, left = (tile - height) // 2, (tile - width) // 2
    square[top : top + height, left : left + width] = shown(pixels, height, width)
    return square


def _images_table(images: Sequence[int], probe: Probe, a_sheet: int) -> pd.DataFrame:
    names = probe.names
    return pd.DataFrame(
        {
            "image": images,
            "name": [names[image] for image in images],
            "label": [class_name(probe.labels, probe.card.classes, image) for image in images],
            "sheet": [number // a_sheet for number in range(len(images))],
            "tile": [number % a_sheet for number in range(len(images))],
        }
    )
