"""One climb: pictures of some units of a layer, all by one recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor

from analysis.features.canvas import CPU, Canvas
from analysis.features.goals import Goal
from analysis.features.loop import Ascended, ascend
from analysis.features.pooling import pooled
from analysis.features.prior import Prior
from analysis.features.recipe import Recipe
from analysis.features.size import View
from analysis.features.target import Target
from analysis.models.input_spec import InputSpec

DRIVEN, STILL, BROKEN = "driven", "still", "not finite"
NEVER, PRIOR = "never active", "prior, not model"
Report = Callable[[float], None]


@dataclass(frozen=True)
class Rendered:
    """The pictures of some units of one layer.

    channels   : which, in the order of what follows
    pictures   : [N, C, H, W] in [0, 1]
    activation : [N] mean of the channel's map on the finished picture, at the layer's site; of a conv that sees the
                 input itself, of what is above zero, for a negative picture below; of a class, its logit
    highest    : [N] its highest value
    lowest     : [N] its lowest
    steps      : [N] how many steps each took
    seeds      : [N] the seed of each
    values     : [N, units] the number of every channel of the layer on each picture
    deviation  : [N] standard deviation of the activation over the seeds that were tried; NaN of a single one
    state      : "driven"; "still": no picture moves it, its map is the same whatever it is shown;
                 "never active", "prior, not model": found by analysis/features/files.py and renders.py
                 "not finite": it answers with NaN or infinity, or its layer's weights hold some, which spoil the
                 gradients of all channels of the layer
    """

    channels: tuple[int, ...]
    pictures: Tensor
    activation: Tensor
    highest: Tensor
    lowest: Tensor
    steps: Tensor
    seeds: Tensor
    values: Tensor
    deviation: Tensor
    state: tuple[str, ...]

    def replaced(self, places: Sequence[int], others: Rendered, rows: Sequence[int]) -> Rendered:
        """This with what stands at `places` taken from `rows` of others; `deviation` stays."""
        names = ("pictures", "activation", "highest", "lowest", "steps", "seeds", "values")
        changed: dict[str, Any] = {name: getattr(self, name).clone() for name in names}
        state = list(self.state)
        for place, row in zip(places, rows, strict=True):
            state[place] = others.state[row]
            for name, value in changed.items():
                value[place] = getattr(others, name)[row]
        return replace(self, **changed, state=tuple(state))


def generator_of(layer: str, channel: int, seed: int) -> Generator:
    """The chance of one unit.

    From its layer, its channel and the seed, but not from its model: two checkpoints of one net start from the
    same noise, so that what differs between their pictures is what they learned.
    """
    digest = hashlib.sha256(f"{layer}:{channel}|{seed}".encode()).digest()
    return Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def climb(
    target: Target,
    goal: Goal,
    channels: Sequence[int],
    prior: Prior,
    recipe: Recipe,
    *,
    seeds: Sequence[int],
    batch: int,
    report: Report,
) -> Rendered:
    """A picture for each place in `channels` from its seed, climbed for `goal`, in full batches."""
    canvas = canvas_of(prior, target.view, recipe, target.model.device)
    made = ascend(
        target,
        canvas,
        goal,
        count=len(channels),
        chance=lambda unit: generator_of(target.name, channels[unit], seeds[unit]),
        batch=batch,
        noise=pixel_noise(target.model.card.input),
        recipe=recipe,
        report=report,
    )
    wanted = torch.tensor(list(channels))
    pictures, own, values = _finished(target, canvas, made.waves, wanted, batch)
    activation = values[torch.arange(len(wanted)), wanted]
    return Rendered(
        tuple(channels),
        pictures,
        activation,
        own.flatten(1).amax(1),
        own.flatten(1).amin(1),
        made.steps,
        torch.tensor(list(seeds)),
        values,
        torch.full_like(activation, torch.nan),
        _states(made, activation),
    )


def canvas_of(prior: Prior, view: View, recipe: Recipe, device: torch.device = CPU) -> Canvas:
    """The canvas of a layer."""
    return Canvas(
        prior,
        view.height,
        view.width,
        freedom=recipe.freedom,
        contrast=recipe.contrast,
        begin=recipe.begin,
        device=device,
    )


def pixel_noise(spec: InputSpec) -> Tensor:
    """[C] what one unit of the net's normalised input is in units of a picture in [0, 1], RGB order."""
    low, high = spec.range
    deviation = torch.tensor(spec.std) / (high - low)
    return deviation.flip(0) if spec.order == "BGR" else deviation


def _finished(
    target: Target, canvas: Canvas, waves: Tensor, wanted: Tensor, batch: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The pictures of all waves, each one's own map [N, h, w], the number of every channel on it [N, units]. In full
    batches, as while climbing."""
    pictures, own, values = [], [], []
    for places in torch.arange(len(waves)).split(batch):
        full = torch.cat([places, places[-1:].expand(batch - len(places))])
        with torch.no_grad():
            made = canvas.picture(waves[full])
            maps = target.maps(made)
        pictures.append(made[: len(places)].cpu())
        own.append(maps[torch.arange(batch), wanted[full]][: len(places)].cpu())
        values.append(pooled(maps, target.rectified)[: len(places)].cpu())
    return torch.cat(pictures), torch.cat(own), torch.cat(values)


def _states(made: Ascended, activation: Tensor) -> tuple[str, ...]:
    broken = (made.broken | ~activation.isfinite()).tolist()
    return tuple(
        BROKEN if bad else DRIVEN if alive else STILL for bad, alive in zip(broken, made.moved.tolist(), strict=True)
    )
