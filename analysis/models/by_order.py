"""Nets whose authors renamed every layer: known by the shapes of their tensors in order, names left aside.

A ResNet of a tutorial calls its projection `shortcut` and its classifier `linear`, fast.ai numbers its layers, others
cut a net into `nn.Sequential`. The order in which a net makes its layers stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch

from analysis.models.architectures import Match, Net, index
from analysis.models.fingerprint import Shapes

LEAST = 5
"""Convolutions that a net must have to be known by its shapes alone."""


@dataclass(frozen=True)
class Renamed:
    """match: the net; names: the file's key → the net's."""

    match: Match
    names: Mapping[str, str]

    def of(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The state under the net's own names."""
        return {self.names.get(key, key): tensor for key, tensor in state.items()}


def recognise_by_order(shapes: Shapes) -> list[Renamed]:
    """Every net whose tensors, head left out, are the first of these in order and shape; what is left over is a head.

    The first convolution may take another number of channels and have another kernel.
    """
    given = list(shapes.items())
    stem = next((place for place, (_, shape) in enumerate(given) if len(shape) == 4), None)
    if stem is None or sum(len(shape) == 4 for _, shape in given) < LEAST:
        return []
    found = []
    for net, body in _bodies():
        if len(body) > len(given) or any(len(shape) > 2 for _, shape in given[len(body) :]):
            continue
        pairs = list(zip(given, body, strict=False))
        if all(
            mine == theirs or (place == stem and len(theirs) == 4 and mine[0] == theirs[0])
            for place, ((_, mine), (_, theirs)) in enumerate(pairs)
        ):
            names = {mine: theirs for (mine, _), (theirs, _) in pairs}
            found.append(Renamed(Match(net, 1.0, (), ()), names | _head(net, given[len(body) :])))
    return found


@lru_cache(maxsize=1)
def _bodies() -> list[tuple[Net, list[tuple[str, tuple[int, ...]]]]]:
    """Every net with its tensors in order, its head left out."""
    return [
        (net, [(key, _sides(shape)) for key, shape in net.shapes.items() if key not in net.head]) for net in index()
    ]


def _sides(shape: str) -> tuple[int, ...]:
    return tuple(int(side) for side in shape.split("x") if side)


def _head(net: Net, left: list[tuple[str, tuple[int, ...]]]) -> dict[str, str]:
    """The net's head under the names of the file, where what is left of the file has its form."""
    head = [(key, _sides(net.shapes[key])) for key in net.shapes if key in net.head]
    alike = len(head) == len(left) and all(
        len(mine) == len(theirs) and mine[1:] == theirs[1:] for (_, mine), (_, theirs) in zip(left, head, strict=True)
    )
    return {mine: theirs for (mine, _), (theirs, _) in zip(left, head, strict=True)} if alike else {}
