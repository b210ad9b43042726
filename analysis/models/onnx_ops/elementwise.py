"""Operators that work number by number."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch
from torch.nn import functional as F

from analysis.models.onnx_ops.node import Node, Operator, Unsupported

DTYPES = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    4: torch.int32,  # uint16, which torch computes little in
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float32,  # half precision is computed in single
    11: torch.float32,
    12: torch.int64,
    13: torch.int64,
    16: torch.float32,
}


def _aligned(node: Node, second: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
    """Operator sets before 7 broadcast from an `axis` instead of from the right."""
    axis = node.get("axis")
    if axis is None or not node.get("broadcast"):
        return second
    return second.reshape(*second.shape, *[1] * (first.dim() - axis % first.dim() - second.dim()))


def _binary(compute: Any) -> Operator:
    return lambda node, first, second: compute(first, _aligned(node, second, first))


def _unary(compute: Any) -> Operator:
    return lambda node, x: compute(x)


def _div(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    whole = not (first.is_floating_point() or second.is_floating_point())
    return torch.div(first, second, rounding_mode="trunc" if whole else None)


def _power(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return torch.pow(first, second).to(first.dtype)


def _cast(node: Node, x: torch.Tensor) -> torch.Tensor:
    kind = node.get("to")
    if kind not in DTYPES:
        raise Unsupported(f"The graph casts to ONNX type {kind}, which is not computed here. Export it in float32.")
    return x.to(DTYPES[kind])


def _clip(node: Node, x: torch.Tensor, low: torch.Tensor | None = None, high: torch.Tensor | None = None) -> Any:
    bounds = [node.get("min") if low is None else low, node.get("max") if high is None else high]
    if bounds == [None, None]:
        return x
    tensors = [torch.as_tensor(bound, dtype=x.dtype) if bound is not None else None for bound in bounds]
    return torch.clamp(x, *tensors)


def _gelu(node: Node, x: torch.Tensor) -> torch.Tensor:
    return F.gelu(x, approximate=node.get("approximate", "none"))


def _mod(node: Node, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return torch.fmod(first, second) if node.get("fmod") else torch.remainder(first, second)


def _hard_sigmoid(node: Node, x: torch.Tensor) -> torch.Tensor:
    return (node.get("alpha", 0.2) * x + node.get("beta", 0.5)).clamp(0, 1)


def _prelu(node: Node, x: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    return torch.where(x < 0, x * slope, x)


def _where(node: Node, condition: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return torch.where(condition, first, second)


def _scaled(node: Node, x: torch.Tensor) -> torch.Tensor:
    """ImageScaler, of operator sets before 7's end: one scale, a bias a channel."""
    return x * node.get("scale", 1.0) + torch.tensor(node.get("bias", [0.0])).view(1, -1, 1, 1)


def _affine(node: Node, x: torch.Tensor) -> torch.Tensor:
    return x * node.get("alpha", 1.0) + node.get("beta", 0.0)


def _dropout(node: Node, x: torch.Tensor, *unused: Any) -> Any:
    return (x, torch.ones_like(x, dtype=torch.bool)) if node.outputs > 1 else x


def _is_inf(node: Node, x: torch.Tensor) -> torch.Tensor:
    positive, negative = node.get("detect_positive", 1), node.get("detect_negative", 1)
    return (x == torch.inf) & bool(positive) | (x == -torch.inf) & bool(negative)


_BINARY: dict[str, Any] = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Div": _div,
    "Pow": _power,
    "Equal": torch.eq,
    "Greater": torch.gt,
    "Less": torch.lt,
    "GreaterOrEqual": torch.ge,
    "LessOrEqual": torch.le,
    "And": torch.logical_and,
    "Or": torch.logical_or,
    "Xor": torch.logical_xor,
}
_UNARY: dict[str, Any] = {
    "Neg": torch.neg,
    "Abs": torch.abs,
    "Exp": torch.exp,
    "Log": torch.log,
    "Sqrt": torch.sqrt,
    "Reciprocal": torch.reciprocal,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
    "Sign": torch.sign,
    "Erf": torch.erf,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Atan": torch.atan,
    "Tanh": torch.tanh,
    "Sigmoid": torch.sigmoid,
    "Relu": torch.relu,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Mish": F.mish,
    "HardSwish": F.hardswish,
    "Not": torch.logical_not,
    "IsNaN": torch.isnan,
    "Identity": lambda x: x,
}
ELEMENTWISE: dict[str, Operator] = {
    **{name: _binary(compute) for name, compute in _BINARY.items()},
    **{name: _unary(compute) for name, compute in _UNARY.items()},
    "Min": lambda node, *inputs: reduce(torch.minimum, inputs),
    "Max": lambda node, *inputs: reduce(torch.maximum, inputs),
    "Sum": lambda node, *inputs: reduce(torch.add, inputs),
    "Mean": lambda node, *inputs: reduce(torch.add, inputs) / len(inputs),
    "LeakyRelu": lambda node, x: F.leaky_relu(x, node.get("alpha", 0.01)),
    "Elu": lambda node, x: F.elu(x, node.get("alpha", 1.0)),
    "Celu": lambda node, x: F.celu(x, node.get("alpha", 1.0)),
    "Selu": lambda node, x: node.get("gamma", 1.0507009873554805) * F.elu(x, node.get("alpha", 1.6732632423543772)),
    "ThresholdedRelu": lambda node, x: torch.where(x > node.get("alpha", 1.0), x, torch.zeros_like(x)),
    "Swish": lambda node, x: x * torch.sigmoid(node.get("alpha", 1.0) * x),
    "CastLike": lambda node, x, like: x.to(like.dtype),
    "HardSigmoid": _hard_sigmoid,
    "PRelu": _prelu,
    "Gelu": _gelu,
    "Clip": _clip,
    "Cast": _cast,
    "Mod": _mod,
    "Where": _where,
    "IsInf": _is_inf,
    "Dropout": _dropout,
    "ImageScaler": _scaled,
    "Affine": _affine,
}
