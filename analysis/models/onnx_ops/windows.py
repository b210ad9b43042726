"""Convolution and pooling: whatever slides over a map."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from analysis.models.onnx_ops.node import Node, Operator, Unsupported

_CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_SPREAD = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_LARGEST = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


def _geometry(node: Node, x: torch.Tensor, kernel: list[int]) -> tuple[list[int], list[int], list[int], list[int]]:
    """(stride, dilation, padding before, padding after), with auto_pad and ceil_mode worked out for this input."""
    rank = len(kernel)
    stride, dilation = node.get("strides") or [1] * rank, node.get("dilations") or [1] * rank
    pads = node.get("pads") or [0] * (2 * rank)
    before, after = list(pads[:rank]), list(pads[rank:])
    auto = node.get("auto_pad", "NOTSET")
    for dim in range(rank):
        size, reach = x.shape[2 + dim], dilation[dim] * (kernel[dim] - 1) + 1
        if auto.startswith("SAME"):
            total = max((-(-size // stride[dim]) - 1) * stride[dim] + reach - size, 0)
            small, large = total // 2, total - total // 2
            before[dim], after[dim] = (small, large) if auto == "SAME_UPPER" else (large, small)
        elif node.get("ceil_mode"):
            free = size + before[dim] + after[dim] - reach
            steps = -(-free // stride[dim])
            if steps * stride[dim] >= size + before[dim]:  # a window may not begin in the padding behind
                steps -= 1
            after[dim] += max(steps * stride[dim] - free, 0)
    return stride, dilation, before, after


def _padded(x: torch.Tensor, before: list[int], after: list[int], value: float = 0.0) -> torch.Tensor:
    flat = [amount for pair in reversed(list(zip(before, after, strict=True))) for amount in pair]
    return F.pad(x, flat, value=value) if any(flat) else x


def convolution(node: Node, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    stride, dilation, before, after = _geometry(node, x, list(weight.shape[2:]))
    if before != after:
        x, before = _padded(x, before, after), [0] * len(before)
    result: torch.Tensor = _CONVOLVE[weight.dim() - 2](x, weight, bias, stride, before, dilation, node.get("group", 1))
    return result


def transposed(node: Node, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    rank = weight.dim() - 2
    stride, dilation = node.get("strides") or [1] * rank, node.get("dilations") or [1] * rank
    extra = list(node.get("output_padding") or [0] * rank)
    pads = node.get("pads") or [0] * (2 * rank)
    before, after = list(pads[:rank]), list(pads[rank:])
    auto, wanted = node.get("auto_pad", "NOTSET"), node.get("output_shape")
    for dim in range(rank):
        size = stride[dim] * (x.shape[2 + dim] - 1) + extra[dim] + dilation[dim] * (weight.shape[2 + dim] - 1) + 1
        if wanted or auto.startswith("SAME"):
            surplus = size - (wanted[-rank:][dim] if wanted else x.shape[2 + dim] * stride[dim])
            extra[dim] += max(-surplus, 0)  # what is asked for beyond the last window
            small, large = max(surplus, 0) // 2, max(surplus, 0) - max(surplus, 0) // 2
            before[dim], after[dim] = (small, large) if auto == "SAME_UPPER" else (large, small)
    group = node.get("group", 1)
    if before == after:
        even: torch.Tensor = _SPREAD[rank](x, weight, bias, stride, before, extra, group, dilation)
        return even
    result: torch.Tensor = _SPREAD[rank](x, weight, bias, stride, 0, extra, group, dilation)
    for dim in range(rank):
        result = result.narrow(2 + dim, before[dim], result.shape[2 + dim] - before[dim] - after[dim])
    return result


def _max_pool(node: Node, x: torch.Tensor) -> torch.Tensor:
    if node.outputs > 1:
        raise Unsupported("MaxPool with indices is not computed here. Export the model without max unpooling.")
    kernel = node.get("kernel_shape")
    stride, dilation, before, after = _geometry(node, x, kernel)
    if before != after or any(2 * pad > size for pad, size in zip(before, kernel, strict=True)):
        x, before = _padded(x, before, after, -torch.inf), [0] * len(before)
    result: torch.Tensor = _LARGEST[len(kernel)](x, kernel, stride, before, dilation)
    return result


def average_pool(node: Node, x: torch.Tensor) -> torch.Tensor:
    kernel = node.get("kernel_shape")
    stride, dilation, before, after = _geometry(node, x, kernel)
    if dilation != [1] * len(kernel):
        raise Unsupported("AveragePool with dilations is not computed here. Export the model with opset 17.")
    average = _AVERAGE[len(kernel)]
    if before == after and not any(before):
        plain: torch.Tensor = average(x, kernel, stride)
        return plain
    # padding counts where the node says so; what ceil_mode adds behind never does
    counted = torch.ones_like(x[:1, :1])
    asked = list((node.get("pads") or [0] * (2 * len(kernel)))[len(kernel) :])
    if node.get("count_include_pad") and node.get("auto_pad", "NOTSET") == "NOTSET":
        counted = _padded(counted, before, asked, 1.0)
        rest = [size - seen for size, seen in zip(after, asked, strict=True)]
        counted = _padded(counted, [0] * len(rest), rest)
    else:
        counted = _padded(counted, before, after)
    share: torch.Tensor = average(_padded(x, before, after), kernel, stride) / average(counted, kernel, stride)
    return share


def _global(reduce: str) -> Operator:
    def pool(node: Node, x: torch.Tensor) -> torch.Tensor:
        dims = tuple(range(2, x.dim()))
        return x.mean(dims, keepdim=True) if reduce == "mean" else x.amax(dims, keepdim=True)

    return pool


WINDOWS: dict[str, Operator] = {
    "Conv": convolution,
    "ConvTranspose": transposed,
    "MaxPool": _max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": _global("mean"),
    "GlobalMaxPool": _global("max"),
}
