"""Nets that share every key and shape: which of them compute the same, and which one to take first.

Ported weights live in twins: `tf_efficientnet_b0` has `efficientnet_b0`'s tensors but TensorFlow's padding. Tensors can
not tell them apart; running both on the same image can tell whether it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from analysis.models.architectures import Match
from analysis.models.input_spec import InputSpec

MOST = 6
"""Twins that are run; larger families are named without."""


@dataclass(frozen=True)
class Choice:
    """match: the net taken; reason: why; different: other names that compute something else, likeliest first."""

    match: Match
    reason: str
    different: tuple[str, ...]


def likeliest_first(matches: Sequence[Match], file_name: str) -> list[Match]:
    """A net that the file is named after first, the longest such name before others; else the zoos' order."""
    stem = file_name.lower().replace("-", "_")
    return sorted(matches, key=lambda match: -len(match.net.name) if match.net.name in stem else 0)


def choose(matches: Sequence[Match], file_name: str, spec: InputSpec, build: Callable[[Match], nn.Module]) -> Choice:
    """The likeliest net of several that fit equally well. `build` makes one with the weights in it."""
    ordered = likeliest_first(matches, file_name)
    first = ordered[0]
    if len(ordered) == 1:
        return Choice(first, "", ())
    named = first.net.name in file_name.lower().replace("-", "_")
    reason = "the file is named after it" if named else f"{first.net.zoo} lists it first"
    image = torch.rand((1, spec.channels, spec.height, spec.width), generator=torch.Generator().manual_seed(0))
    expected = _run(build(first), image)
    different = [
        match.net.name
        for match in ordered[1 : MOST + 1]
        if match.net.name != first.net.name and not _same(expected, _run(build(match), image))
    ]
    return Choice(first, reason, (*different, *(match.net.name for match in ordered[MOST + 1 :])))


def _run(module: nn.Module, image: torch.Tensor) -> torch.Tensor | None:
    try:
        with torch.no_grad():
            output = module.eval()(image)
    except Exception:  # a twin of another size fails in any way
        return None
    return output if isinstance(output, torch.Tensor) else None


def _same(first: torch.Tensor | None, second: torch.Tensor | None) -> bool:
    if first is None or second is None or first.shape != second.shape:
        return False
    return bool((first - second).abs().max() <= 1e-4 * first.std().clamp(min=1e-12))
