"""The pictures of the cells: each climbs along its own direction, many in one batch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from analysis.activation_atlas.directions import Directions
from analysis.activation_atlas.goal import DirectionGoal
from analysis.features.climb import Report, canvas_of, generator_of, pixel_noise
from analysis.features.loop import ascend
from analysis.features.parameters import Parameters
from analysis.features.prior import Prior
from analysis.features.recipe import first_recipe
from analysis.features.room import batch_of
from analysis.features.size import view_of
from analysis.features.target import target_of
from analysis.models.model import Model
from analysis.statistics.follow import Follow


@dataclass(frozen=True)
class Drawn:
    """pictures [cells, C, H, W] in [0, 1] · reached [cells]: the mean score of each picture (goal.py)."""

    pictures: Tensor
    reached: np.ndarray


def goal_for(directions: Directions, follow: Follow) -> DirectionGoal:
    """The goal at the conv's own output: before the activation, where what it silences still has a gradient."""
    as_tensor = torch.from_numpy
    return DirectionGoal(
        as_tensor(directions.ways).float(),
        as_tensor(directions.mean).float(),
        as_tensor(np.array(follow.scale)).float(),
        as_tensor(np.array(follow.shift)).float(),
    )


def draw(
    model: Model, layer: str, goal: DirectionGoal, prior: Prior, steps: int, size: int, seed: int, report: Report
) -> Drawn:
    """A picture a cell, of all its steps."""
    usual = view_of(model, layer)
    parameters = Parameters(steps=steps, seed=seed, size=min(size, usual.height, usual.width))
    target = target_of(model, layer, parameters)
    recipe = replace(first_recipe(parameters, target.view, target.stem), patience=max(4, steps))
    canvas = canvas_of(prior, target.view, recipe, model.device)
    batch = batch_of(target)
    made = ascend(
        target,
        canvas,
        goal,
        count=len(goal.ways),
        chance=lambda unit: generator_of(f"{layer} atlas", unit, seed),
        batch=batch,
        noise=pixel_noise(model.card.input),
        recipe=recipe,
        report=report,
    )
    pictures, reached = [], []
    with torch.no_grad():
        for units in torch.arange(len(made.waves)).split(batch):
            picture = canvas.picture(made.waves[units])
            pictures.append(picture.cpu())
            reached.append(goal.scores(target.maps(picture), units.tolist()).cpu())
    return Drawn(torch.cat(pictures), torch.cat(reached).double().numpy())
