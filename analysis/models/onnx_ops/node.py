"""What an operator knows of its node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from analysis.models.errors import ModelError

Operator = Callable[..., Any]
LARGEST = 2**28
"""Numbers in one tensor that a graph may make out of nothing: a few bytes can declare any size."""


@dataclass(frozen=True)
class Node:
    """attributes: as Python values; version: of the operator set; outputs: how many are used."""

    kind: str
    attributes: Mapping[str, Any]
    version: int
    outputs: int

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)


class Unsupported(ModelError):
    """An operator, or a way of using it, that is not computed here."""


def ints(values: torch.Tensor | list[int] | None) -> list[int] | None:
    """A tensor of integers, or an attribute's list, as a list."""
    return [int(value) for value in values.flatten().tolist()] if isinstance(values, torch.Tensor) else values


def of_size(shape: list[int]) -> list[int]:
    """The shape, if a tensor of it may be made. Raises Unsupported."""
    count = 1
    for size in shape:
        count *= size
    if count > LARGEST:
        raise Unsupported(
            f"The graph makes a tensor of {' × '.join(map(str, shape))} numbers out of nothing. "
            "That is more than a net needs: get the file from a source that you trust."
        )
    return shape


def first_wins(*tables: Mapping[str, Operator]) -> dict[str, Operator]:
    return {name: operator for table in reversed(tables) for name, operator in table.items()}
