"""One tap for every kind of model: it watches the convolutions that really run, wherever they are called from.

Modules, `F.conv2d`, converted ONNX graphs, exported programs and TorchScript all end in the operator
`aten::convolution`. A dispatch mode sees each of these calls, below autograd, so gradients stay. Hooks on modules
would miss functional calls, are refused by TorchScript, and see outputs that a following in-place ReLU has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten
CONVOLUTIONS = frozenset(
    # traced TorchScript calls the private form; the first nine arguments are the same
    [_aten.convolution.default, _aten._convolution.default, _aten._convolution.deprecated]
)


@dataclass(frozen=True)
class ConvCall:
    """One call of a convolution: its number in the forward pass, what went in, what came out."""

    number: int
    input: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool
    groups: int
    output: torch.Tensor


class Stop(Exception):
    """Raised inside a forward pass when everything wanted has been seen."""


class ConvTap(TorchDispatchMode):
    """Calls `seen(call)` for every convolution, while the mode is on, right after it has run.

    When `seen` returns False the pass is stopped at the next operator: by then the output has its gradient function,
    and nothing has changed it in place yet.
    """

    def __init__(self, seen: Callable[[ConvCall], bool]) -> None:
        super().__init__()
        self._seen = seen
        self._calls = 0
        self.stopped = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        # autograd keeps an output that a derivative needs, a ReLU's or sigmoid's, by detaching it: no step of the net
        if self.stopped and func is not _aten.detach.default:
            raise Stop
        if func not in CONVOLUTIONS:
            return self.other(func, args, kwargs or {})
        output = func(*args, **(kwargs or {}))
        image, weight, bias, stride, padding, dilation, transposed, _, groups = args[:9]
        geometry = tuple(stride), tuple(padding), tuple(dilation)
        call = ConvCall(self._calls, image, weight, bias, *geometry, transposed, groups, output)
        self._calls += 1
        self.stopped = not self._seen(call)
        return output

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Run any other operator."""
        return func(*args, **kwargs)


def run_tapped(tap: ConvTap, forward: Callable[[], Any]) -> Any:
    """What `forward` returns, or None where the tap stopped it."""
    try:
        with torch.inference_mode(False), tap:
            return forward()
    except Exception:  # TorchScript turns Stop into an error of its own
        if tap.stopped:
            return None
        raise


def tensors_in(values: Any) -> list[torch.Tensor]:
    """The tensors of an operator's arguments or results, in order: lists and tuples of any depth."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in tensors_in(value)]
    return []
