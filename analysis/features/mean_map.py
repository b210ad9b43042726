"""The mean of a conv's map without the map.

A conv is linear: the mean of its outputs is its kernel applied to the mean of the windows that it slides over. The mean
window takes two products with matrices of zeros and ones, whatever the number of output channels, and so does its
derivative, so the conv that a channel's picture is made for costs next to nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def averages(conv: nn.Module) -> bool:
    """Whether `mean_map` knows this conv: two-dimensional, padded with zeros or not at all."""
    return type(conv) is nn.Conv2d and conv.padding_mode == "zeros" and not isinstance(conv.padding, str)


def mean_map(inputs: Tensor, conv: nn.Conv2d, inner: int = 0) -> Tensor:
    """[N, C, H, W] → [N, K, 1, 1]: the mean over space of `conv(inputs)`, `inner` rows and columns at each side of the
    map left out. Differentiable."""
    with torch.autocast(inputs.device.type, enabled=False):  # it costs nothing, and channels are compared by it
        return _mean_map(inputs.float() if inputs.dtype == torch.bfloat16 else inputs, conv, inner)


def _mean_map(inputs: Tensor, conv: nn.Conv2d, inner: int) -> Tensor:
    rows, columns = (_shares(conv, axis, inputs, inner) for axis in (0, 1))
    count, channels, _, width = inputs.shape
    flat = inputs.permute(0, 2, 3, 1).reshape(count, -1, width * channels)
    down = (rows @ flat).view(count, len(rows), width, channels)
    window = (columns @ down).permute(0, 3, 1, 2)
    return functional.conv2d(window, conv.weight, conv.bias, groups=conv.groups)


def _shares(conv: nn.Conv2d, axis: int, inputs: Tensor, inner: int) -> Tensor:
    """[kernel, length] how much each place of the input counts in the mean of what each place of the kernel sees."""
    size, stride, dilation = conv.kernel_size[axis], conv.stride[axis], conv.dilation[axis]
    padding, length = int(conv.padding[axis]), inputs.shape[axis + 2]
    outputs = (length + 2 * padding - dilation * (size - 1) - 1) // stride + 1
    counted = torch.arange(inner, outputs - inner)
    shares = torch.zeros(size, length, dtype=inputs.dtype)
    for place in range(size):
        seen = counted * stride - padding + place * dilation
        shares[place, seen[(seen >= 0) & (seen < length)]] = 1 / len(counted)
    return shares.to(inputs.device)
