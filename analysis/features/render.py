"""The loop: many channels of one layer in one batch, each with its own canvas, its own chance and its own end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from analysis.features.canvas import Canvas
from analysis.features.optimizer import RowNAdam
from analysis.features.parameters import Parameters
from analysis.features.prior import Prior
from analysis.features.size import canvas_size
from analysis.features.transforms import Wobble, affine, draw
from analysis.models.capture import run_to
from analysis.models.model import Model

DRIVEN, STILL, BROKEN = "driven", "still", "not finite"


@dataclass(frozen=True)
class Rendered:
    """The pictures of some channels of one layer.

    channels   : which, in the order of what follows
    pictures   : [N, C, H, W] in [0, 1]
    activation : [N] mean of the channel's map on the finished picture, at the conv's own output
    peak       : [N] its highest value
    steps      : [N] how many steps each took
    state      : "driven"; "still": no picture moves it, its map is the same whatever it is shown;
                 "not finite": it answers with NaN or infinity (broken weights)
    """

    channels: tuple[int, ...]
    pictures: Tensor
    activation: Tensor
    peak: Tensor
    steps: Tensor
    state: tuple[str, ...]


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
    seed: int | None = None,
    report: Callable[[float], None] = lambda fraction: None,
) -> Rendered:
    """One picture for each channel of a layer; `seed` overrides that of the parameters.

    A unit's picture does not depend on which others are rendered with it. `report` hears how far it is (0 … 1)
    between steps and may raise to stop. Raises StrataError for a layer that the model does not have.
    """
    height, width = canvas_size(model.card.layer(layer), model.card.input, parameters.size)
    canvas = Canvas(prior, height, width, parameters.contrast)
    seed = parameters.seed if seed is None else seed
    parts = []
    for start in range(0, len(channels), parameters.batch):
        some = channels[start : start + parameters.batch]

        def tell(fraction: float, start: int = start, count: int = len(some)) -> None:
            report((start + fraction * count) / len(channels))

        parts.append(_render_batch(model, layer, some, canvas, parameters=parameters, seed=seed, report=tell))
    return Rendered(
        tuple(channels),
        torch.cat([part.pictures for part in parts]),
        torch.cat([part.activation for part in parts]),
        torch.cat([part.peak for part in parts]),
        torch.cat([part.steps for part in parts]),
        tuple(state for part in parts for state in part.state),
    )


def _render_batch(
    model: Model,
    layer: str,
    channels: Sequence[int],
    canvas: Canvas,
    *,
    parameters: Parameters,
    seed: int,
    report: Callable[[float], None],
) -> Rendered:
    # a batch is always full: convolution kernels are chosen by batch size, and the last bits of a result with them
    filled = [*channels, *[channels[-1]] * (parameters.batch - len(channels))]
    generators = [generator_of(layer, channel, seed) for channel in filled]
    wanted = torch.tensor(filled)
    rows = torch.arange(len(filled))
    phases = canvas.start(generators)
    optimizer = RowNAdam(phases.shape, parameters.rate)
    wobble = Wobble()
    deviation = torch.tensor(model.card.input.std).view(1, -1, 1, 1)
    low, high = model.card.input.range
    moved = torch.zeros(len(filled), dtype=torch.bool)
    for step in range(parameters.steps):
        leaf = phases.detach().requires_grad_()
        seen = affine(canvas.picture(leaf), draw(wobble, generators))
        noise = torch.stack([torch.randn(seen.shape[1:], generator=generator) for generator in generators])
        seen = seen + noise * (wobble.noise * deviation / (high - low))
        maps = run_to(model, seen, layer)[rows, wanted]
        (gradient,) = torch.autograd.grad(-maps.flatten(1).mean(1).sum(), leaf)
        moved |= gradient.abs().flatten(1).amax(1) > 0
        optimizer.step(phases, gradient.nan_to_num(0.0, 0.0, 0.0))
        report((step + 1) / parameters.steps)
    with torch.no_grad():
        pictures = canvas.picture(phases)
        maps = run_to(model, pictures, layer)[rows, wanted].flatten(1)
    count = len(channels)
    finite = maps.isfinite().all(1)
    state = [DRIVEN if m else STILL for m in moved.tolist()]
    state = [known if fine else BROKEN for known, fine in zip(state, finite.tolist(), strict=True)]
    steps = torch.full((count,), parameters.steps)
    return Rendered(
        tuple(channels), pictures[:count], maps.mean(1)[:count], maps.amax(1)[:count], steps, tuple(state[:count])
    )
