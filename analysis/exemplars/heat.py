"""The techniques `heat-pass` and `heat`: where in its exemplars each channel answers.

Which images are a channel's exemplars is known only when all were measured, so this is a second pass, over those images
alone and of all layers at once; then what it left is sorted by channel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from analysis import encoding, technique
from analysis.exemplars.images import LONGEST_SHEET
from analysis.looking.heat import let_through, over_image, shades
from analysis.models.capture import visit
from analysis.statistics.following import follows_of
from analysis.statistics.pass_over import images_a_pass
from analysis.statistics.technique import file_of
from analysis.task import Task

SHARD = 128
"""Images a task of the pass."""
PRIORITY = 50
"""After exemplars and sketches, before the fine pictures, which take many times as long."""
COLUMNS: dict[str, str] = {
    "channel": "number of the channel",
    "image": "number of the image in the probe, one of the channel's exemplars",
    "reach": "the greatest value of its map after the activation; from the least where that is below zero",
    "strength": "that as a share of the greatest among the channel's exemplars",
    "tile": "number of the map on heat.webp, row by row",
}
"""The columns of heat.parquet, one row an exemplar."""


class HeatParameters(technique.Parameters):
    side: int = Field(28, ge=8, le=128, description="Side of a heat map, px; it covers the whole image.")


class HeatPass(technique.Technique):
    name = "heat-pass"
    title = "Heat maps by image"
    about = "One pass over the exemplars that keeps the maps of the channels that they stand for."
    requires = ("exemplars",)
    Parameters = HeatParameters

    def plan(self, request: technique.Request) -> list[Task]:
        exemplars = _of_maps(request)
        if request.probe is None or not exemplars:
            return []
        facts = {**request.parameters.model_dump(), "layer_of_needs": [task.layer for task in exemplars]}
        starts = range(0, request.probe.count, SHARD)
        return [
            self.task(
                request,
                part=(start, min(start + SHARD, request.probe.count)),
                parameters=facts,
                needs=tuple(task.key for task in exemplars),
                priority=PRIORITY,
                intermediate=True,
            )
            for start in starts
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        """One `<number of the layer>.npz` a layer: channel, image, reach [n] and shades [n, side, side]."""
        model, probe, layers = context.model(), context.probe(), _layers(task)
        follows, spec, side = follows_of(model), model.card.input, task.parameters["side"]
        wanted = _wanted(task, context.inputs)
        images = sorted({image for of_image in wanted.values() for image in of_image})
        found: dict[str, list[dict[str, np.ndarray]]] = {layer: [_nothing(side)] for layer in layers}
        step = images_a_pass(model)
        for start in range(0, len(images), step):
            batch = images[start : start + step]

            def keep(layer: str, site: int, output: torch.Tensor, batch: list[int] = batch) -> None:
                for image, maps in zip(batch, output.float().cpu(), strict=True):
                    channels = wanted[layer].get(image, [])
                    if site or not channels:
                        continue
                    through = let_through(maps[None], follows[layer])[0, channels]
                    tiles, reach = shades(over_image(through, model.card.layer(layer), (spec.height, spec.width), side))
                    numbers = np.array(channels), np.full(len(channels), image)
                    found[layer].append(dict(zip(_FIELDS, (*numbers, reach, tiles), strict=True)))

            visit(model, probe.batch(batch, spec), layers, keep)
            context.report(min(1.0, (start + step) / len(images)))
        return {file_of(layers, layer): encoding.to_npz(_joined(parts)) for layer, parts in found.items()}


def _of_maps(request: technique.Request) -> list[Task]:
    """The tasks of the exemplars of layers whose maps lie over an image."""
    exemplars = request.required["exemplars"]
    return [task for task in exemplars if request.model.layer(str(task.layer)).kind.endswith("2d")]


def _layers(task: Task) -> list[str]:
    """The layers of a pass, in the order of its files."""
    return list(dict.fromkeys(task.parameters["layer_of_needs"]))


_FIELDS = ("channel", "image", "reach", "shades")


def _nothing(side: int) -> dict[str, np.ndarray]:
    none = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, side, side), np.uint8)
    return dict(zip(_FIELDS, none, strict=True))


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in _FIELDS}


def _wanted(task: Task, inputs: Mapping[str, technique.Artifact]) -> dict[str, dict[int, list[int]]]:
    """Layer → image of this part → the channels that it is an exemplar of."""
    assert task.part is not None
    wanted: dict[str, dict[int, list[int]]] = {layer: {} for layer in _layers(task)}
    for key, layer in zip(task.needs, task.parameters["layer_of_needs"], strict=True):
        table = encoding.from_parquet(inputs[key]["exemplars.parquet"])
        mine = table[table["image"].between(task.part[0], task.part[1] - 1)]
        for channel, image in zip(mine["channel"].tolist(), mine["image"].tolist(), strict=True):
            wanted[layer].setdefault(image, []).append(channel)
    return wanted


class Heat(technique.Technique):
    name = "heat"
    title = "Heat maps"
    about = "For each channel, where in its exemplars it answers."
    requires = ("exemplars", "heat-pass")
    Parameters = HeatParameters

    def plan(self, request: technique.Request) -> list[Task]:
        """A task for each of the exemplars'."""
        passes = request.required["heat-pass"]
        return [
            self.task(
                request,
                task.layer,
                channels=task.channels,
                parameters={"file": file_of(_layers(passes[0]), str(task.layer))},
                needs=tuple(part.key for part in passes),
                priority=PRIORITY,
            )
            for task in _of_maps(request)
            if passes
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.channels is not None
        parts = [encoding.from_npz(context.inputs[key][task.parameters["file"]]) for key in task.needs]
        every = _joined(parts)
        mine = (every["channel"] >= task.channels[0]) & (every["channel"] < task.channels[1])
        order = np.flatnonzero(mine)[np.lexsort((every["image"][mine], every["channel"][mine]))]
        kept = {name: every[name][order] for name in _FIELDS}
        table = pd.DataFrame({name: kept[name] for name in ("channel", "image", "reach")})
        best = table.groupby("channel")["reach"].transform("max")
        table["strength"] = (table["reach"] / best.where(best > 0)).fillna(0.0)
        table["tile"] = range(len(table))
        count, side = len(table), kept["shades"].shape[1]
        columns = max(1, min(LONGEST_SHEET // side, math.isqrt(count)))
        rows = -(-count // columns)
        sheet = np.zeros((rows * columns, side, side), np.uint8)
        sheet[:count] = kept["shades"]
        pixels = sheet.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
        files = {
            "heat.parquet": encoding.to_parquet(table[list(COLUMNS)]),
            "facts.json": encoding.to_json({"tile": side, "columns": columns}),
        }
        return files | ({"heat.webp": encoding.to_picture(pixels, quality=90)} if count else {})
