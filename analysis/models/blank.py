"""Build a net without paying for random numbers that its weights are about to replace."""

from __future__ import annotations

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


class _NoRandomFills(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        if func in _RANDOM_FILLS:
            return args[0].zero_()
        return func(*args, **(kwargs or {}))


@contextmanager
def blank_weights() -> Iterator[None]:
    """Inside, random initialisation writes zeros, and the random state of the process stays as it was."""
    with torch.random.fork_rng(devices=[]), _NoRandomFills():
        yield
