"""Quantised operators, computed in float on the grid of their integers; gradients pass straight through rounding.

The straight-through estimator is Bengio et al. 2013, arXiv 1308.3432. Inside the range the gradient is that of the
unrounded number, outside it is zero, as clamping has it.
"""

from __future__ import annotations

import torch

from analysis.models.onnx_ops.node import Node, Operator
from analysis.models.onnx_ops.windows import convolution

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
    return (x.float() - _zero(point, x, axis)) * _along(scale, x, axis)


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
    kernel = (weight.float() - _zero(w_point, weight, 0)) * _along(w_scale, weight, 0)
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
    real_b = (b.float() - _zero(b_point, b, last)) * _along(b_scale, b, last)
    return _quantize(node, _dequantize(node, a, a_scale, a_point) @ real_b, y_scale, y_point)


def _added(
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
    total = _dequantize(node, a, a_scale, a_point) + _dequantize(node, b, b_scale, b_point)
    return _quantize(node, total, y_scale, y_point)


def _pooled(
    node: Node,
    x: torch.Tensor,
    x_scale: torch.Tensor,
    x_point: torch.Tensor,
    y_scale: torch.Tensor,
    y_point: torch.Tensor,
) -> torch.Tensor:
    dims = tuple(range(1, x.dim() - 1)) if node.get("channels_last") else tuple(range(2, x.dim()))
    return _quantize(node, _dequantize(node, x, x_scale, x_point).mean(dims, keepdim=True), y_scale, y_point)


QUANTIZED: dict[str, Operator] = {
    "QuantizeLinear": _quantize,
    "DequantizeLinear": _dequantize,
    "QLinearConv": _convolution,
    "QLinearMatMul": _product,
    "QLinearAdd": _added,
    "QLinearGlobalAveragePool": _pooled,
}
