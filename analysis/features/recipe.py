"""How a picture is climbed for: what its canvas may do, how fast and how long. A second try is made differently."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.features.parameters import Parameters
from analysis.features.precision import FULL
from analysis.features.size import View

STEM = 6
"""How much larger the steps of a conv that sees the input itself are."""


@dataclass(frozen=True)
class Recipe:
    """freedom, contrast, begin : of the canvas (analysis/features/canvas.py)
    steps, patience, rate    : of the climb (analysis/features/parameters.py)
    settles                  : how far rate, wobble and noise come down by the last step, 0: not at all, 1: to nothing
    distinct                 : weight of the other channels in the goal
    precision                : in which the net is run (analysis/features/precision.py)
    """

    freedom: float
    contrast: float
    begin: float
    steps: int
    patience: int
    rate: float
    settles: float
    distinct: float
    precision: str

    def unrest(self, step: int) -> float:
        """How much of its wobble and noise a picture gets at this step, 1 … 1 − settles."""
        return 1 - self.settles * (1 - max(0.0, 1 - step / self.steps) ** 2)


def first_recipe(parameters: Parameters, view: View, stem: bool = False) -> Recipe:
    """Waves begin weak, so that what nothing asks for stays plain, and grow where the layer pulls on them.

    Where a layer sees little it answers to single pixels, and a picture that was only ever seen shifted, turned and in
    noise excites other channels when it is seen as it is: such pictures come to rest. Where a layer sees much, rest
    would let fine noise in, and full wobble to the end keeps pictures clean.

    stem : a conv that sees the input itself wants one grating or colour; large steps of free waves find it.
    """
    return Recipe(
        freedom=_or(parameters.freedom, 1.0 if stem else 0.7 + 0.25 * view.shallow),
        contrast=_or(parameters.contrast, 1.4 + 1.2 * view.shallow**3),
        begin=0.1,
        steps=parameters.steps,
        patience=parameters.patience,
        rate=parameters.rate * (STEM if stem else 1 + view.shallow),
        settles=view.shallow,
        distinct=parameters.distinct,
        precision=parameters.precision,
    )


def another_recipe(parameters: Parameters, view: View, number: int, stem: bool = False) -> Recipe:
    """Of the `number`th further try, from 1: longer, to rest, and harder on the other channels. What a first picture
    misses is most often a plain colour, or the difference to a near twin, which wobble, noise and few digits blur."""
    first = first_recipe(parameters, view, stem)
    steps = 2 * number * parameters.steps
    return replace(
        first,
        contrast=_or(parameters.contrast, 1.4 + 4.6 * view.shallow),
        steps=steps,
        patience=steps,
        settles=1.0,
        distinct=4 * first.distinct,
        precision=FULL,
    )


def _or(given: float | None, usual: float) -> float:
    return usual if given is None else given
