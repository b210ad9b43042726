"""Weights that are no numbers: which layers hold them, and the net without them, for what has to be compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from analysis.models.assemble import example_of
from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped


def is_broken(weights: torch.Tensor) -> bool:
    """Whether it holds NaN, or infinity among other numbers: infinity alone may be a bound, beside 0 a mask."""
    if not weights.is_floating_point() or bool(weights.isfinite().all()):
        return False
    return bool(weights.isnan().any()) or bool((weights.isfinite() & (weights != 0)).any())


def broken_layers(model: Model) -> list[str]:
    """The conv layers whose weights or bias hold NaN or infinity, in the order of a pass, wherever the file keeps them;
    then the paths of other modules whose weights do."""
    broken: dict[str, None] = {}
    used: set[int] = set()

    def seen(call: ConvCall) -> bool:
        for weight in (call.weight, call.bias):
            if weight is not None:
                used.add(weight.data_ptr())
                if not weight.isfinite().all():
                    broken[model.calls[call.number]] = None
        return True

    with torch.no_grad():
        run_tapped(ConvTap(seen), lambda: model(example_of(model.card.input)))
    for path, weights in _weights(model.module):
        if weights.data_ptr() not in used and is_broken(weights):
            broken[path] = None
    return list(broken)


def told(broken: list[str]) -> str:
    """A sentence for a person about what `broken_layers` found."""
    more = len(broken) - 1
    others = f" and {more} more layer{'s' if more > 1 else ''}" if more else ""
    return (
        f"Weights of {broken[0]}{others} are NaN or infinite, and so is what the net computes with them. "
        "Use an earlier checkpoint."
    )


@contextmanager
def mended(module: nn.Module) -> Iterator[None]:
    """Meanwhile the broken numbers are 0: NaN differs from itself, and comes and goes with the way of computing."""
    broken = [(weights.detach(), weights.detach().clone()) for _, weights in _weights(module) if is_broken(weights)]
    for weights, kept in broken:
        weights.copy_(kept.nan_to_num(0, 0, 0))
    try:
        yield
    finally:
        for weights, kept in broken:
            weights.copy_(kept)


def _weights(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Each module's path, with each parameter and buffer of its own."""
    for path, part in module.named_modules():
        for weights in (*part.parameters(recurse=False), *part.buffers(recurse=False)):
            yield path, weights
