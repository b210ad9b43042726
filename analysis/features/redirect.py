"""Gradients through ReLUs that are shut, for pictures that would otherwise never start.

A canvas whose every path to the target is blocked by ReLUs at zero gets no gradient and stays grey. Lucid's rule
(lucid/misc/redirected_relu_grad.py): where a row gets nothing at all through a ReLU, let through what would *raise*
its input. Done where autograd computes the derivative, so it holds for nn.ReLU, F.relu, ReLU6, in-place ones and the
ReLUs of converted graphs alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_BACKWARD = {torch.ops.aten.threshold_backward.default: 1, torch.ops.aten.hardtanh_backward.default: 1}


class RedirectedReLU(TorchDispatchMode):
    """While on, during backward of something to be *minimised*: rows marked in `stuck` that a ReLU blocks wholly get
    the helpful half of their gradient. Other rows are not touched."""

    def __init__(self, stuck: Tensor) -> None:
        super().__init__()
        self.stuck = stuck

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func not in _BACKWARD or result.dim() < 2 or len(result) != len(self.stuck):
            return result
        blocked = self.stuck & (result.flatten(1).abs().amax(1) == 0)
        if not bool(blocked.any()):
            return result
        gradient, inputs = args[0], args[1]
        helpful = torch.where((inputs <= 0) & (gradient < 0), gradient, torch.zeros_like(gradient))
        return torch.where(blocked.view(-1, *(1,) * (result.dim() - 1)), helpful, result)
