"""Quantised operators, computed in float on the grid of their integers; gradients pass straight through rounding.

The straight-through estimator is Bengio et al. 2013, arXiv 1308.3432. Inside the range the gradient is that of the
unrounded number, outside it is zero, as clamping has it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from analysis.models.onnx_ops.node import Node, Operator
from analysis.models.onnx_ops.windows import average_pool, convolution

_RANGES = {torch.uint8: (0, 255), torch.int8: (-128, 127), torch.int32: (-(2**31), 2**31 - 1)}


def _round(x: torch.Tensor) -> torch.Tensor:
    return x + (x.round() - x).detach()


def _along(values: torch.Tensor, x: torch.Tensor, axis: int) -> torch.Tensor:
    """A number a channel, laid along `axis` of x; one number for all stays one."""
    if values.dim() == 0 or values.numel() == 1:
        return values.reshape(())
    shape = [1] * x.dim()
    shape[axis] = -1
    return values.reshape(shape)


def _zero(point: torch.Tensor | None, x: torch.Tensor, axis: int) -> torch.Tensor | float:
    return 0.0 if point is None else _along(point.float(), x, axis)


def _limits(point: torch.Tensor | None) -> tuple[int, int]:
    return _RANGES.get(point.dtype, (0, 255)) if point is not None else (0, 255)


def _quantize(node: Node, x: torch.Tensor, scale: torch.Tensor, point: torch.Tensor | None = None) -> torch.Tensor:
    """To the integer grid, kept as floats so that gradients pass."""
    axis = node.get("axis", 1)
    low, high = _limits(point)
    return _round(x / _along(scale, x, axis) + _zero(point, x, axis)).clamp(low, high)


def _dequantize(node: Node, x: torch.Tensor, scale: torch.Tensor, point: torch.Tensor | None = None) -> torch.Tensor:
    axis = node.get("axis", 1)
    return _integers(x, point, axis) * _along(scale, x, axis)


def _convolution(
    node: Node,
    x: torch.Tensor,
    x_scale: torch.Tensor,
    x_point: torch.Tensor,
    weight: torch.Tensor,
    w_scale: torch.Tensor,
    w_point: torch.Tensor,
    y_scale: torch.Tensor,
    y_point: torch.Tensor,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    real = _dequantize(node, x, x_scale, x_point)
    kernel = _integers(weight, w_point, 0) * _along(w_scale, weight, 0)
    added = None if bias is None else bias.float() * x_scale * w_scale
    return _quantize(node, convolution(node, real, kernel, added), y_scale, y_point)


def _product(
    node: Node,
    a: torch.Tensor,
    a_scale: torch.Tensor,
    a_point: torch.Tensor,
    b: torch.Tensor,
    b_scale: torch.Tensor,
    b_point: torch.Tensor,
    y_scale: torch.Tensor,
    y_point: torch.Tensor,
) -> torch.Tensor:
    last = b.dim() - 1
    real_b = _integers(b, b_point, last) * _along(b_scale, b, last)
    return _quantize(node, _dequantize(node, a, a_scale, a_point) @ real_b, y_scale, y_point)


def _integers(x: torch.Tensor, point: torch.Tensor | None, axis: int = 1) -> torch.Tensor:
    """Integers less their zero point, as floats."""
    return x.float() - _zero(point, x, axis)


def _convolution_of_integers(
    node: Node,
    x: torch.Tensor,
    weight: torch.Tensor,
    x_point: torch.Tensor | None = None,
    w_point: torch.Tensor | None = None,
) -> torch.Tensor:
    return convolution(node, _integers(x, x_point), _integers(weight, w_point, 0))


def _product_of_integers(
    node: Node,
    a: torch.Tensor,
    b: torch.Tensor,
    a_point: torch.Tensor | None = None,
    b_point: torch.Tensor | None = None,
) -> torch.Tensor:
    return _integers(a, a_point) @ _integers(b, b_point, b.dim() - 1)


def _dynamic(node: Node, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Integers from 0 to 255 for what this input happens to span, its scale and its zero point."""
    low, high = x.detach().amin().clamp(max=0), x.detach().amax().clamp(min=0)
    scale = ((high - low) / 255).clamp(min=1e-30)
    point = (-low / scale).round().clamp(0, 255).to(torch.uint8)
    return _quantize(node, x, scale, point), scale, point


def _gemm(
    node: Node,
    a: torch.Tensor,
    a_scale: torch.Tensor,
    a_point: torch.Tensor,
    b: torch.Tensor,
    b_scale: torch.Tensor,
    b_point: torch.Tensor,
    c: torch.Tensor | None = None,
    y_scale: torch.Tensor | None = None,
    y_point: torch.Tensor | None = None,
) -> torch.Tensor:
    rows = 0 if node.get("transB") else 1
    real_a, real_b = _dequantize(node, a, a_scale, a_point), _integers(b, b_point, rows) * _along(b_scale, b, rows)
    real_a, real_b = real_a.t() if node.get("transA") else real_a, real_b.t() if node.get("transB") else real_b
    unit = node.get("alpha", 1.0) * a_scale * b_scale
    total = node.get("alpha", 1.0) * (real_a @ real_b)
    total = total if c is None else total + c.float() * unit
    return total if y_scale is None else _quantize(node, total, y_scale, y_point)


def _of_two(compute: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Operator:
    def run(node: Node, *inputs: torch.Tensor) -> torch.Tensor:
        a, b = _dequantize(node, *inputs[:3]), _dequantize(node, *inputs[3:6])
        return _quantize(node, compute(a, b), *inputs[6:])

    return run


def _of_one(compute: Callable[[Node, torch.Tensor], torch.Tensor]) -> Operator:
    def run(node: Node, *inputs: torch.Tensor) -> torch.Tensor:
        return _quantize(node, compute(node, _dequantize(node, *inputs[:3])), *inputs[3:])

    return run


def _mean(node: Node, x: torch.Tensor) -> torch.Tensor:
    dims = tuple(range(1, x.dim() - 1)) if node.get("channels_last") else tuple(range(2, x.dim()))
    return x.mean(dims, keepdim=True)


def _concat(node: Node, y_scale: torch.Tensor, y_point: torch.Tensor, *inputs: torch.Tensor) -> torch.Tensor:
    parts = [_dequantize(node, *inputs[place : place + 3]) for place in range(0, len(inputs), 3)]
    return _quantize(node, torch.cat(parts, node.get("axis", 1)), y_scale, y_point)


QUANTIZED: dict[str, Operator] = {
    "QuantizeLinear": _quantize,
    "DequantizeLinear": _dequantize,
    "DynamicQuantizeLinear": _dynamic,
    "ConvInteger": _convolution_of_integers,
    "MatMulInteger": _product_of_integers,
    "QLinearConv": _convolution,
    "QLinearMatMul": _product,
    "QGemm": _gemm,
    "QLinearAdd": _of_two(torch.add),
    "QLinearMul": _of_two(torch.mul),
    "QLinearSigmoid": _of_one(lambda node, x: torch.sigmoid(x)),
    "QLinearLeakyRelu": _of_one(lambda node, x: F.leaky_relu(x, node.get("alpha", 0.01))),
    "QLinearSoftmax": _of_one(lambda node, x: torch.softmax(x, node.get("axis", -1))),
    "QLinearAveragePool": _of_one(average_pool),
    "QLinearGlobalAveragePool": _of_one(_mean),
    "QLinearConcat": _concat,
}
