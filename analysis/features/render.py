"""Pictures of the units of a layer: climbed for, judged, and where they fall short tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from analysis.features.baseline import Baseline
from analysis.features.climb import DRIVEN, Rendered, Report, climb
from analysis.features.goals import ChannelGoal
from analysis.features.parameters import Parameters
from analysis.features.prior import Prior
from analysis.features.recipe import Recipe, another_recipe, first_recipe
from analysis.features.room import batch_of
from analysis.features.target import target_of
from analysis.models.model import Model

FEW = 2
"""Pictures side by side in further tries: few channels need one, and a batch is always full."""


def render(
    model: Model,
    layer: str,
    channels: Sequence[int],
    prior: Prior,
    parameters: Parameters,
    *,
    baseline: Baseline | None = None,
    report: Report = lambda fraction: None,
) -> Rendered:
    """One picture for each channel of a conv layer, or class of a head, the best of `parameters.attempts` seeds.

    With a baseline, a picture that another channel answers more strongly to (in deviations), or that the best real
    image beats, is tried again by another recipe, up to `parameters.retries` times; what has most merit is kept. The
    baseline is of the same site and of the same sign (`baseline_at`).

    A unit's picture does not depend on which others are rendered with it. `report` hears how far it is (0 … 1)
    between steps and may raise to stop. Raises StrataError for a layer that the model does not have.
    """
    target = target_of(model, layer, parameters)
    batch, sign = parameters.batch or batch_of(target), parameters.sign
    tries = parameters.attempts + (parameters.retries if baseline else 0)

    def draw(wanted: Sequence[int], recipe: Recipe, seed: int, batch: int, number: int) -> Rendered:
        goal = ChannelGoal(torch.tensor(list(wanted)), sign, target.rectified, baseline, recipe.distinct)
        seeds = [seed] * len(wanted)
        return climb(
            target, goal, wanted, prior, recipe, seeds=seeds, batch=batch, report=lambda f: report((number + f) / tries)
        )

    first = first_recipe(parameters, target.view, target.stem)
    tried = [draw(channels, first, parameters.seed + each, batch, each) for each in range(parameters.attempts)]
    best = _furthest(tried, sign)
    for number in range(1, parameters.retries + 1 if baseline else 1):
        assert baseline is not None
        merits, answers = merit(best, baseline, sign), baseline.answers()[list(channels)]
        short = [
            place for place, state in enumerate(best.state) if state == DRIVEN and answers[place] and merits[place] <= 0
        ]
        if not short:
            break
        recipe = another_recipe(parameters, target.view, number, target.stem)
        wanted = [channels[place] for place in short]
        again = draw(wanted, recipe, parameters.seed, min(batch, FEW), parameters.attempts + number - 1)
        gained = torch.nonzero(merit(again, baseline, sign) > merits[short]).flatten().tolist()
        best = best.replaced([short[row] for row in gained], again, gained)
    report(1.0)
    return best


def lead_of(made: Rendered, baseline: Baseline, sign: float) -> Tensor:
    """[N] how far each picture excites its own channel beyond all others of the layer, in deviations over real ones."""
    standard = sign * baseline.standard(made.values)
    wanted = torch.tensor(made.channels)[:, None]
    return standard.gather(1, wanted)[:, 0] - standard.scatter(1, wanted, -torch.inf).amax(1)


def merit(made: Rendered, baseline: Baseline, sign: float) -> Tensor:
    """[N] the lesser of two margins, in deviations over real images: over the other channels, and over the best real
    image. Above zero, the picture is its channel's own and beats what is real."""
    own = list(made.channels)
    natural = (baseline.best if sign > 0 else baseline.least)[own]
    beyond = sign * (made.activation - natural) / baseline.scale()[own]
    return torch.minimum(beyond, lead_of(made, baseline, sign))


def _furthest(tried: Sequence[Rendered], sign: float) -> Rendered:
    """Of each unit the attempt that went furthest, the first of equals."""
    best = tried[0]
    for made in tried[1:]:
        rows = torch.nonzero(sign * made.activation > sign * best.activation).flatten().tolist()
        best = best.replaced(rows, made, rows)
    if len(tried) == 1:
        return best
    return replace(best, deviation=torch.stack([made.activation for made in tried]).std(0))
