"""Pictures of the units of a layer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor

from analysis.features.baseline import Baseline
from analysis.features.canvas import Canvas
from analysis.features.goals import ChannelGoal, Goal
from analysis.features.loop import Ascended, ascend
from analysis.features.parameters import Parameters
from analysis.features.pooling import pooled
from analysis.features.prior import Prior
from analysis.features.size import View, device_of
from analysis.features.target import Target, target_of
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model

CPU = torch.device("cpu")
DRIVEN, STILL, BROKEN = "driven", "still", "not finite"
NEVER, PRIOR = "never active", "prior, not model"
Report = Callable[[float], None]


@dataclass(frozen=True)
class Rendered:
    """The pictures of some units of one layer.

    channels   : which, in the order of what follows
    pictures   : [N, C, H, W] in [0, 1]
    activation : [N] mean of the channel's map on the finished picture, at the layer's site; of a conv that sees the
                 input itself, of what is above zero; of a class, its logit
    highest    : [N] its highest value
    lowest     : [N] its lowest
    steps      : [N] how many steps each took
    seeds      : [N] the seed of each
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
    deviation: Tensor
    state: tuple[str, ...]

    def choose(self, rows: Tensor, others: Rendered) -> Rendered:
        """This where `rows`, [N] bool, else `others`."""
        one, two = vars(self), vars(others)
        chosen: dict[str, Any] = {
            name: torch.where(rows.view(-1, *(1,) * (one[name].dim() - 1)), one[name], two[name])
            for name in ("pictures", "activation", "highest", "lowest", "steps", "seeds")
        }
        states = tuple(a if mine else b for mine, a, b in zip(rows.tolist(), self.state, others.state, strict=True))
        return replace(self, **chosen, state=states)


def generator_of(layer: str, channel: int, seed: int) -> Generator:
    """The chance of one unit.

    From its layer, its channel and the seed, but not from its model: two checkpoints of one net start from the
    same noise, so that what differs between their pictures is what they learned.
    """
    digest = hashlib.sha256(f"{layer}:{channel}|{seed}".encode()).digest()
    return Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


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

    A unit's picture does not depend on which others are rendered with it. `report` hears how far it is (0 … 1)
    between steps and may raise to stop. Raises StrataError for a layer that the model does not have.
    """
    target = target_of(model, layer, parameters)
    goal = ChannelGoal(
        torch.tensor(list(channels)), sign_of(parameters), target.rectified, baseline, parameters.distinct
    )
    tried: list[Rendered] = []
    for attempt in range(parameters.attempts):
        seed = parameters.seed + attempt
        made = climb(
            target,
            goal,
            channels,
            prior,
            parameters,
            seeds=[seed] * len(channels),
            batch=parameters.batch or batch_of(target.view),
            report=lambda fraction, attempt=attempt: report((attempt + fraction) / parameters.attempts),  # type: ignore[misc]
        )
        tried.append(made)
    return _best(tried, sign_of(parameters))


def climb(
    target: Target,
    goal: Goal,
    channels: Sequence[int],
    prior: Prior,
    parameters: Parameters,
    *,
    seeds: Sequence[int],
    batch: int,
    report: Report,
) -> Rendered:
    """A picture for each place in `channels` from its seed, climbed for `goal`, in full batches."""
    canvas = canvas_of(prior, target.view, parameters, device_of(target.model))
    made = ascend(
        target,
        canvas,
        goal,
        count=len(channels),
        chance=lambda unit: generator_of(target.name, channels[unit], seeds[unit]),
        batch=batch,
        noise=pixel_noise(target.model.card.input),
        parameters=parameters,
        report=report,
    )
    pictures, own = _finished(target, canvas, made.waves, torch.tensor(list(channels)), batch)
    activation = pooled(own[:, None], target.rectified)[:, 0]
    highest, lowest = own.flatten(1).amax(1), own.flatten(1).amin(1)
    return Rendered(
        tuple(channels),
        pictures,
        activation,
        highest,
        lowest,
        made.steps,
        torch.tensor(list(seeds)),
        torch.full_like(activation, torch.nan),
        _states(made, activation),
    )


def _best(tried: Sequence[Rendered], sign: float) -> Rendered:
    """Of each unit the attempt that went furthest, the first of equals."""
    best = tried[0]
    for made in tried[1:]:
        best = made.choose(sign * made.activation > sign * best.activation, best)
    if len(tried) == 1:
        return best
    return replace(best, deviation=torch.stack([made.activation for made in tried]).std(0))


def sign_of(parameters: Parameters) -> float:
    return -1.0 if parameters.negative else 1.0


def canvas_of(prior: Prior, view: View, parameters: Parameters, device: torch.device = CPU) -> Canvas:
    """The canvas of a layer: where it sees little, it wants gratings and plain colours, and gets the freedom and the
    contrast to make them; where it sees much, what keeps its pictures clean is the prior."""
    freedom = 0.4 + 0.3 * view.shallow if parameters.freedom is None else parameters.freedom
    contrast = 1.0 + 1.6 * view.shallow**3 if parameters.contrast is None else parameters.contrast
    return Canvas(prior, view.height, view.width, freedom=freedom, contrast=contrast, device=device)


def batch_of(view: View) -> int:
    """How many pictures side by side: 8 of 128 px, more of smaller ones, where the cost of a call weighs more."""
    pixels = (view.height + 2 * view.wrap) * (view.width + 2 * view.wrap)
    return 8 if pixels > 96**2 else 16


def pixel_noise(spec: InputSpec) -> Tensor:
    """[C] what one unit of the net's normalised input is in units of a picture in [0, 1], RGB order."""
    low, high = spec.range
    deviation = torch.tensor(spec.std) / (high - low)
    return deviation.flip(0) if spec.order == "BGR" else deviation


def _finished(target: Target, canvas: Canvas, waves: Tensor, wanted: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """The pictures of all waves, each one's own map [N, h, w]. In full batches, as while climbing."""
    pictures, own = [], []
    for places in torch.arange(len(waves)).split(batch):
        full = torch.cat([places, places[-1:].expand(batch - len(places))])
        with torch.no_grad():
            made = canvas.picture(waves[full])
            maps = target.maps(made)
        pictures.append(made[: len(places)].cpu())
        own.append(maps[torch.arange(batch), wanted[full]][: len(places)].cpu())
    return torch.cat(pictures), torch.cat(own)


def _states(made: Ascended, activation: Tensor) -> tuple[str, ...]:
    broken = (made.broken | ~activation.isfinite()).tolist()
    return tuple(
        BROKEN if bad else DRIVEN if alive else STILL for bad, alive in zip(broken, made.moved.tolist(), strict=True)
    )
