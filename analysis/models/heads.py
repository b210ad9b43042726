"""A model's heads: the outputs that give one number a class, each class a unit like a channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from analysis.errors import StrataError
from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped
from analysis.unit import HEAD

SQUASHES = ("softmax", "log_softmax", "sigmoid")
"""Operators that turn the numbers of the classes into shares."""


def heads_of(output: Any) -> dict[str, torch.Tensor]:
    """What a model returns → its heads by name, [B, K ≥ 2] each: `output`, or of several `output.0`, `output.<key>`."""
    if isinstance(output, torch.Tensor):
        parts = {HEAD: output}
    elif isinstance(output, Mapping):
        parts = {f"{HEAD}.{key}": value for key, value in output.items()}
    elif isinstance(output, list | tuple):
        parts = {f"{HEAD}.{place}": value for place, value in enumerate(output)}
    else:
        parts = {}
    return {
        name: part.flatten(1)
        for name, part in parts.items()
        if isinstance(part, torch.Tensor) and part.dim() >= 2 and part[0].numel() == part.shape[1] >= 2
    }


def run_head(model: Model, images: torch.Tensor, head: str) -> torch.Tensor:
    """[B, C, H, W] in [0, 1] → [B, K, 1, 1]: a head's logits as maps of one position.

    Where the net ends in a softmax or sigmoid, what went into it: a share that is nearly 1 has no gradient left.
    Raises StrataError where the model has no such head.
    """
    found = run_with_heads(model, images)[1]
    if head not in found:
        raise StrataError(f"{model.card.name} has no output “{head}”. It has {', '.join(found) or 'none of classes'}.")
    return found[head]


def run_with_heads(
    model: Model, images: torch.Tensor, seen: Callable[[ConvCall], bool] = lambda call: True
) -> tuple[Any, dict[str, torch.Tensor]]:
    """One whole forward pass, every convolution shown to `seen`: what the model returns, and its heads' logits
    [B, K, 1, 1] by name."""
    parts: list[dict[str, torch.Tensor]] = []
    output = None
    for part in images.split(1) if model.card.one_by_one else [images]:
        tap = _HeadTap(seen)
        output = run_tapped(tap, lambda part=part: model(part))  # type: ignore[misc]
        parts.append({name: tap.before_squash(head)[..., None, None] for name, head in heads_of(output).items()})
    return output, {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


class _HeadTap(ConvTap):
    """Remembers what went into each softmax or sigmoid that is as small as a head."""

    def __init__(self, seen: Callable[[ConvCall], bool]) -> None:
        super().__init__(seen)
        self._squashed: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        output = func(*args, **kwargs)
        name = func._schema.name.split("::")[1].strip("_")
        if name in SQUASHES and output.dim() >= 2 and output[0].numel() == output.shape[1] and output is not args[0]:
            self._squashed[output.data_ptr()] = args[0], output  # kept, so that its place is not given away
        return output

    def before_squash(self, head: torch.Tensor) -> torch.Tensor:
        """[B, K] as the net computed them, before a softmax or sigmoid at its very end."""
        before, _ = self._squashed.get(head.data_ptr(), (head, head))
        return before.flatten(1)
