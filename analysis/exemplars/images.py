"""The technique `images`: the whole images that some exemplar comes from, made small, each once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import Field

from analysis import encoding, technique
from analysis.exemplars.cut import class_name
from analysis.exemplars.patches import shown
from analysis.task import Task

if TYPE_CHECKING:
    from analysis.models.input_spec import InputSpec
    from analysis.probe.probe import Probe

LONGEST_SHEET = 8192
"""px: WebP ends at 16383, and browsers draw smaller ones faster."""


class ImagesParameters(technique.Parameters):
    tile: int = Field(160, ge=32, le=512, description="Longest side of an image on the sheets, px.")


class Images(technique.Technique):
    name = "images"
    title = "Images"
    about = "The images that some exemplar comes from, small, each once."
    requires = ("exemplars",)
    Parameters = ImagesParameters

    def plan(self, request: technique.Request) -> list[Task]:
        exemplars = request.required["exemplars"]
        if request.probe is None or not exemplars:
            return []
        needs = tuple(task.key for task in exemplars)
        facts = request.parameters.model_dump()
        return [
            self.task(
                request,
                parameters=facts,
                needs=needs,
                priority=91,
            )
        ]

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


def _each(probe: Probe, images: Sequence[int], spec: InputSpec) -> Iterable[np.ndarray]:
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
            "label": [class_name(probe, image) for image in images],
            "sheet": [number // a_sheet for number in range(len(images))],
            "tile": [number % a_sheet for number in range(len(images))],
        }
    )
