"""The technique `activation-atlas`: a layer as a landscape of what it makes of real images."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from PIL import Image

from analysis import encoding, technique
from analysis.activation_atlas.directions import directions_of
from analysis.activation_atlas.draw import draw, goal_for
from analysis.activation_atlas.goal import DirectionGoal
from analysis.activation_atlas.layout import Cell, cut, grid_for, lay_out
from analysis.activation_atlas.parameters import AtlasParameters
from analysis.activation_atlas.positions import Positions, passed_on, read_positions
from analysis.activation_atlas.table import cell_table, nearest_of
from analysis.errors import StrataError
from analysis.exemplars.patches import patch_box, picture_of, tile_of
from analysis.features.files import in_three_colors
from analysis.features.prior import Prior
from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer
from analysis.probe.probe import Probe
from analysis.statistics.following import follows_of
from analysis.task import Task

PATCH = 64
"""Side of a real patch on the sheet, px."""
TILE = 96
"""Longest side of a cell's picture on the sheet, px."""
FEWEST = 30
"""Places below which there is no landscape."""


class ActivationAtlas(technique.Technique):
    name = "activation-atlas"
    title = "Activation atlas"
    about = "What a layer makes of thousands of places in real images, laid out by likeness and drawn."
    requires = ("prior",)
    Parameters = AtlasParameters

    def plan(self, request: technique.Request) -> list[Task]:
        if request.probe is None:
            return []
        (prior,) = request.required["prior"]
        return [
            self.task(
                request,
                layer,
                parameters=request.parameters.model_dump(),
                needs=(prior.key,),
                priority=10,
            )
            for layer in request.wanted.layers
            if request.model.layer(layer).kind.endswith("2d")
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.layer is not None
        settings = AtlasParameters.model_validate(dict(task.parameters))
        model, probe = context.model(), context.probe()
        follow = follows_of(model)[task.layer]
        seen = read_positions(model, probe, task.layer, settings.positions, settings.seed, _part(context, 0, 0.3))
        if len(seen.image) < FEWEST:
            raise StrataError(f"{len(seen.image)} places are too few for an activation atlas. Measure on more images.")
        values = passed_on(seen.vectors, follow)
        places = lay_out(values)
        context.report(0.5)
        grid = grid_for(len(places), settings.cells)
        cells = cut(places, grid, min(settings.fewest, max(1, len(places) // (grid[0] * grid[1]))))
        directions = directions_of(values, places, cells, grid)
        goal = goal_for(directions, follow)
        prior = Prior.from_arrays(encoding.from_npz(context.inputs[task.needs[0]]["prior.npz"]))
        steps, size, seed = settings.steps, settings.size, settings.seed
        drawn = draw(model, task.layer, goal, prior, steps, size, seed, _part(context, 0.5, 0.95))
        real = _scores(goal, seen, cells)
        means = np.array([own[cell.members].mean() for own, cell in zip(real, cells, strict=True)])
        table = cell_table(cells, seen, values, drawn.reached / np.where(means > 0, means, np.nan), probe)
        layer, spec = model.card.layer(task.layer), model.card.input
        examples, patches = _examples(cells, real, seen, settings.examples, layer, probe, spec)
        tiles = [_tile(in_three_colors(picture)) for picture in drawn.pictures]
        facts = {
            "tile": [tiles[0].shape[1], tiles[0].shape[0]],
            "columns": grid[0],
            "grid": list(grid),
            "positions": len(places),
            "images": len(seen.images),
            "patch": PATCH,
            "patch_columns": _columns(len(patches)),
        }
        files = {
            "cells.parquet": encoding.to_parquet(table.assign(**examples)),
            "positions.parquet": encoding.to_parquet(_places(seen, places, cells)),
            "directions.npz": encoding.to_npz(
                {"means": directions.means.astype(np.float32), "mean": directions.mean.astype(np.float32)}
            ),
            "sheet.webp": encoding.to_picture(encoding.sheet(tiles, grid[0])),
            "facts.json": encoding.to_json(facts),
        }
        if patches:
            files["patches.webp"] = encoding.to_picture(encoding.sheet(patches, _columns(len(patches))))
        return files


def _part(context: technique.Context, begin: float, end: float) -> Callable[[float], None]:
    return lambda fraction: context.report(begin + (end - begin) * fraction)


def _scores(goal: DirectionGoal, seen: Positions, cells: list[Cell]) -> list[np.ndarray]:
    """Of each cell the score [n] of every real vector for its direction."""
    maps = torch.from_numpy(seen.vectors)[:, :, None, None]
    found = []
    for number in range(len(cells)):
        scores = np.full(len(seen.image), -np.inf)
        own = cells[number].members
        scores[own] = goal.each(maps[own], [number] * len(own))[:, 0, 0].numpy()
        found.append(scores)
    return found


def _examples(
    cells: list[Cell],
    scores: list[np.ndarray],
    seen: Positions,
    count: int,
    layer: ConvLayer,
    probe: Probe,
    spec: InputSpec,
) -> tuple[dict[str, pd.Series], list[np.ndarray]]:
    """The columns of the examples, and their patches in the order of the sheet. Each image is decoded once."""
    chosen = [nearest_of(cell, own, seen.image, count) for cell, own in zip(cells, scores, strict=True)]
    starts = np.cumsum([0, *map(len, chosen)]).tolist()
    members = [member for each in chosen for member in each]
    patches = [np.zeros((PATCH, PATCH, 3), np.uint8)] * len(members)
    for image in sorted({int(seen.image[member]) for member in members}):
        picture = picture_of(probe.batch([image], spec)[0].numpy())
        for tile, member in enumerate(members):
            if seen.image[member] == image:
                box = patch_box(layer, int(seen.y[member]), int(seen.x[member]), spec.height, spec.width)
                patches[tile] = tile_of(picture, box, PATCH)
    columns = {
        "examples": pd.Series([list(range(start, end)) for start, end in pairwise(starts)]),
        "example_images": pd.Series([[int(seen.image[member]) for member in each] for each in chosen]),
    }
    return columns, patches


def _columns(patches: int) -> int:
    return max(1, round(patches**0.5))


def _places(seen: Positions, places: np.ndarray, cells: list[Cell]) -> pd.DataFrame:
    cell = np.full(len(places), -1)
    for number, each in enumerate(cells):
        cell[each.members] = number
    named = {"image": seen.image, "y": seen.y, "x": seen.x, "u": places[:, 0], "v": places[:, 1], "cell": cell}
    return pd.DataFrame(named)


def _tile(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    shrink = min(1.0, TILE / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
