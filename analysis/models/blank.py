"""Build a net without paying for random numbers that its weights are about to replace."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten
_RANDOM_FILLS = frozenset(
    packet.default
    for packet in (_aten.normal_, _aten.uniform_, _aten.bernoulli_, _aten.exponential_)
    if hasattr(packet, "default")
)
_SMALL = 4096  # numbers


class _NoRandomFills(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        if func in _RANDOM_FILLS:
            return args[0].zero_()
        return func(*args, **(kwargs or {}))


class _Weightless(TorchDispatchMode):
    """Large tensors that are made empty, as weights are, get a shape and no memory; small ones stay real."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        if func is _aten.empty.memory_format and math.prod(args[0]) > _SMALL:
            kwargs = {**(kwargs or {}), "device": "meta"}
        return func(*args, **(kwargs or {}))


@contextmanager
def only_shapes() -> Iterator[None]:
    """Inside, nets are built without memory for their weights: enough to read keys and shapes."""
    with torch.random.fork_rng(devices=[]), _Weightless():
        yield


@contextmanager
def blank_weights() -> Iterator[None]:
    """Inside, random initialisation writes zeros, and the random state of the process stays as it was."""
    with torch.random.fork_rng(devices=[]), _NoRandomFills():
        yield
