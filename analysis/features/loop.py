"""The loop: rows of one batch, each with its own canvas, its own chance and its own end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from analysis.features.canvas import Canvas
from analysis.features.goals import Goal
from analysis.features.optimizer import RowNAdam
from analysis.features.precision import FULL, bearable, net_in
from analysis.features.recipe import Recipe
from analysis.features.redirect import RedirectedReLU
from analysis.features.target import Target, counted, shown
from analysis.features.transforms import Grain, Wobble, affine, draw

YOUNG = 16
"""Steps during which shut ReLUs let helpful gradients through (Lucid switches off after 16 as well)."""

IDLE = 32
"""A row that got no gradient for so many steps, twice YOUNG, gets none any more."""

GAIN = 0.02
"""A row has converged when its last `patience` steps gained less than this share of all it gained."""


@dataclass
class Row:
    """One place in the batch: the unit that it works on and how its scores went."""

    unit: int
    generator: Generator
    scores: list[float] = field(default_factory=list)
    moved: bool = False
    idle: int = 0
    broken: bool = False
    finished: bool = False

    def ended(self, recipe: Recipe) -> bool:
        return len(self.scores) >= recipe.steps or self.idle >= IDLE or self.converged(recipe.patience)

    def converged(self, patience: int) -> bool:
        """Whether the mean of the last half window is hardly above that of the half before (scores are noisy)."""
        half = patience // 2
        if len(self.scores) < patience + half:
            return False
        late = sum(self.scores[-half:]) / half
        early = sum(self.scores[-2 * half : -half]) / half
        start = sum(self.scores[:2]) / 2
        return not late - early > GAIN * (late - start)


@dataclass(frozen=True)
class Ascended:
    """The waves that each unit ended with, how many steps it took, whether anything moved it at all, and whether it
    met numbers that are not finite."""

    waves: Tensor
    steps: Tensor
    moved: Tensor
    broken: Tensor


def ascend(
    target: Target,
    canvas: Canvas,
    goal: Goal,
    *,
    count: int,
    chance: Callable[[int], Generator],
    batch: int,
    noise: Tensor,
    recipe: Recipe,
    report: Callable[[float], None] = lambda fraction: None,
) -> Ascended:
    """Climb for units 0 … count−1, `batch` at a time; where one has converged the next takes its place.

    chance : the generator of a unit
    noise  : [C] deviation of the noise in units of a picture
    A batch is always full, with units whose result is thrown away if need be: kernels are chosen by batch size, and
    the last bits of a result with them.
    """
    queue = list(range(count))
    first = [queue.pop(0) if queue else count - 1 for _ in range(batch)]
    view = target.view
    rows = [Row(unit, chance(unit), finished=place >= count) for place, unit in enumerate(first)]
    waves = canvas.start([row.generator for row in rows])
    optimizer = RowNAdam(waves, recipe.rate, recipe.steps, recipe.settles)
    wobble = Wobble()
    grain = Grain(waves.shape[1], view.height + 2 * view.wrap, view.width + 2 * view.wrap, waves.device)
    deviation = (wobble.noise * noise).view(1, -1, 1, 1).to(waves)
    made = Ascended(
        torch.empty(count, *canvas.shape, device=waves.device),
        torch.zeros(count, dtype=torch.long),
        torch.zeros(count, dtype=torch.bool),
        torch.zeros(count, dtype=torch.bool),
    )
    # classes are told apart by the last digits that all layers leave of their logits
    wanted = FULL if target.model.card.is_head(target.name) else recipe.precision
    trial = torch.rand(2, waves.shape[1], grain.height, grain.width, generator=Generator().manual_seed(0))
    precision = bearable(wanted, target.read, trial.to(waves))
    done = 0.0
    while not all(row.finished for row in rows):
        generators = [row.generator for row in rows]
        unrest = torch.tensor([recipe.unrest(len(row.scores)) for row in rows])
        leaf = waves.detach().requires_grad_()
        seen = affine(shown(canvas.picture(leaf), view), draw(wobble, generators, unrest))
        loud = unrest.view(-1, 1, 1, 1).to(deviation) * deviation
        seen = seen.add_(grain.windows(generators).mul_(loud)).contiguous(memory_format=torch.channels_last)
        with net_in(waves.device, precision):
            maps = target.means(seen) if goal.of_means else counted(target.read(seen), view)
        scores = goal.scores(maps.float(), [row.unit for row in rows])
        young = torch.tensor([len(row.scores) < YOUNG for row in rows])
        gradient = slope(-scores.sum(), leaf, young)
        size = gradient.flatten(1).abs().amax(1)
        optimizer.step(waves, -gradient.nan_to_num(0.0, 0.0, 0.0))
        for place, (row, score, steepest) in enumerate(zip(rows, scores.tolist(), size.tolist(), strict=True)):
            row.scores.append(score)
            row.moved |= steepest > 0
            row.idle = 0 if steepest > 0 else row.idle + 1
            row.broken |= not math.isfinite(steepest)
            if row.finished or not row.ended(recipe):
                continue
            made.waves[row.unit], made.steps[row.unit] = waves[place], len(row.scores)
            made.moved[row.unit], made.broken[row.unit] = row.moved, row.broken
            done += 1
            if queue:
                fresh = rows[place] = Row(queue[0], chance(queue.pop(0)))
                waves[place] = canvas.start([fresh.generator])[0]
                optimizer.reset(place)
            else:
                row.finished = True
        running = sum(len(row.scores) / recipe.steps for row in rows if not row.finished)
        report(min(1.0, (done + running) / count))
    return made


def slope(loss: Tensor, leaf: Tensor, young: Tensor) -> Tensor:
    """d loss / d leaf; of young rows that get nothing at all, through ReLUs that let helpful gradients pass."""
    (gradient,) = torch.autograd.grad(loss, leaf, retain_graph=bool(young.any()))
    stuck = young.to(leaf.device) & (gradient.flatten(1).abs().amax(1) == 0)
    if not bool(stuck.any()):
        return gradient
    with RedirectedReLU(stuck):
        (redirected,) = torch.autograd.grad(loss, leaf)
    return torch.where(stuck.view(-1, *(1,) * (leaf.dim() - 1)), redirected, gradient)
