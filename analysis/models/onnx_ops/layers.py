"""Normalisation, products, reductions, softmax."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from analysis.models.onnx_ops.node import Node, Operator, ints


def _batch_norm(
    node: Node, x: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor
) -> torch.Tensor:
    return F.batch_norm(x, mean, variance, scale, bias, False, 0.0, node.get("epsilon", 1e-5))


def _instance_norm(node: Node, x: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return F.instance_norm(x, weight=scale, bias=bias, eps=node.get("epsilon", 1e-5))


def _layer_norm(node: Node, x: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    shape = x.shape[node.get("axis", -1) % x.dim() :]
    normal = F.layer_norm(x, shape, eps=node.get("epsilon", 1e-5)) * scale
    return normal if bias is None else normal + bias


def _rms_norm(node: Node, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    dims = tuple(range(node.get("axis", -1) % x.dim(), x.dim()))
    return x * torch.rsqrt(x.square().mean(dims, keepdim=True) + node.get("epsilon", 1e-5)) * scale


def _group_norm(node: Node, x: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    groups = node.get("num_groups")
    if scale.numel() == groups != x.shape[1]:  # operator set 18 scales groups, 21 channels
        scale, bias = (values.repeat_interleave(x.shape[1] // groups) for values in (scale, bias))
    return F.group_norm(x, groups, scale, bias, node.get("epsilon", 1e-5))


def _lrn(node: Node, x: torch.Tensor) -> torch.Tensor:
    size = node.get("size")
    squares = F.pad(x.square(), (0, 0) * (x.dim() - 2) + ((size - 1) // 2, size // 2))
    total = squares.unfold(1, size, 1).sum(-1)
    scale = node.get("bias", 1.0) + node.get("alpha", 1e-4) / size * total
    return x / scale ** node.get("beta", 0.75)


def _lp_norm(node: Node, x: torch.Tensor) -> torch.Tensor:
    return x / x.norm(node.get("p", 2), node.get("axis", -1), keepdim=True)


def _softmax(compute: Callable[..., torch.Tensor]) -> Operator:
    def run(node: Node, x: torch.Tensor) -> torch.Tensor:
        if node.version >= 13:
            return compute(x, node.get("axis", -1))
        axis = node.get("axis", 1) % x.dim()  # older sets take all dimensions from the axis on together
        return compute(x.flatten(axis), axis).reshape(x.shape)

    return run


def _gemm(node: Node, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
    a = a.t() if node.get("transA") else a
    b = b.t() if node.get("transB") else b
    product = node.get("alpha", 1.0) * (a @ b) if node.get("alpha", 1.0) != 1.0 else a @ b
    return product if c is None else product + node.get("beta", 1.0) * c


def _einsum(node: Node, *inputs: torch.Tensor) -> torch.Tensor:
    return torch.einsum(node.get("equation"), *inputs)


def _reduce(compute: Callable[[torch.Tensor, tuple[int, ...], bool], torch.Tensor]) -> Operator:
    def run(node: Node, x: torch.Tensor, axes: torch.Tensor | None = None) -> torch.Tensor:
        dims = ints(axes) if axes is not None else node.get("axes")
        if not dims:
            if node.get("noop_with_empty_axes"):
                return x
            dims = list(range(x.dim()))
        return compute(x, tuple(dim % x.dim() for dim in dims), bool(node.get("keepdims", 1)))

    return run


def _product(x: torch.Tensor, dims: tuple[int, ...], keep: bool) -> torch.Tensor:
    for dim in sorted(dims, reverse=True):
        x = x.prod(dim, keepdim=keep)
    return x


def _extreme(compute: Callable[..., torch.Tensor]) -> Operator:
    def run(node: Node, x: torch.Tensor) -> torch.Tensor:
        axis, keep = node.get("axis", 0), bool(node.get("keepdims", 1))
        if node.get("select_last_index"):
            return x.shape[axis] - 1 - compute(x.flip(axis), axis, keep)
        return compute(x, axis, keep)

    return run


LAYERS: dict[str, Operator] = {
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "SimplifiedLayerNormalization": _rms_norm,
    "GroupNormalization": _group_norm,
    "LRN": _lrn,
    "LpNormalization": _lp_norm,
    "Softmax": _softmax(F.softmax),
    "LogSoftmax": _softmax(F.log_softmax),
    "MatMul": lambda node, a, b: torch.matmul(a, b),
    "Gemm": _gemm,
    "Einsum": _einsum,
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "ReduceMax": _reduce(torch.amax),
    "ReduceMin": _reduce(torch.amin),
    "ReduceProd": _reduce(_product),
    "ReduceL1": _reduce(lambda x, dims, keep: x.abs().sum(dims, keep)),
    "ReduceL2": _reduce(lambda x, dims, keep: torch.linalg.vector_norm(x, 2, dims, keep)),
    "ReduceSumSquare": _reduce(lambda x, dims, keep: x.square().sum(dims, keep)),
    "ReduceLogSum": _reduce(lambda x, dims, keep: x.sum(dims, keep).log()),
    "ReduceLogSumExp": _reduce(lambda x, dims, keep: x.logsumexp(dims, keep)),
    "ArgMax": _extreme(torch.argmax),
    "ArgMin": _extreme(torch.argmin),
}
