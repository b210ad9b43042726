"""How a picture is climbed for: what its canvas may do, how fast and how long. A second try is made differently."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.features.parameters import Parameters
from analysis.features.size import View


@dataclass(frozen=True)
class Recipe:
    """freedom, contrast, begin : of the canvas (analysis/features/canvas.py)
    steps, patience, rate    : of the climb (analysis/features/parameters.py)
    settles                  : whether the rate falls to nothing by the last step, so that the picture comes to rest
    distinct                 : weight of the other channels in the goal
    """

    freedom: float
    contrast: float
    begin: float
    steps: int
    patience: int
    rate: float
    settles: bool
    distinct: float


def first_recipe(parameters: Parameters, view: View) -> Recipe:
    """Where a layer sees little it wants gratings and plain colours, and gets the freedom and the contrast to make
    them; where it sees much, what keeps its pictures clean is the prior."""
    return Recipe(
        freedom=_or(parameters.freedom, 0.4 + 0.3 * view.shallow),
        contrast=_or(parameters.contrast, 1.0 + 1.6 * view.shallow**3),
        begin=1.0,
        steps=parameters.steps,
        patience=parameters.patience,
        rate=parameters.rate,
        settles=False,
        distinct=parameters.distinct,
    )


def another_recipe(parameters: Parameters, view: View, number: int) -> Recipe:
    """Of the `number`th further try, from 1: from a plainer start, freer, longer, and to rest. What a first picture
    misses is most often plain: a flat colour that random phases never become, or a difference to a near twin that a
    climb at full rate keeps overstepping."""
    return Recipe(
        freedom=_or(parameters.freedom, 0.4 + 0.6 * view.shallow),
        contrast=_or(parameters.contrast, 1.0 + 5.0 * view.shallow),
        begin=0.1**view.shallow,
        steps=2 * number * parameters.steps,
        patience=2 * number * parameters.steps,
        rate=parameters.rate,
        settles=True,
        distinct=parameters.distinct,
    )


def _or(given: float | None, usual: float) -> float:
    return usual if given is None else given
