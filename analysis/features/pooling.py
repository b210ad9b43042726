"""One number of a channel's map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from analysis.models.layers import ConvLayer


def rectifies(layer: ConvLayer) -> bool:
    """Whether a layer's map is pooled above zero: where the conv sees the input itself.

    There the map is linear in the picture, and the plain mean of an edge filter is zero whatever edges it is shown.
    """
    extent = tuple(dilation * (size - 1) + 1 for size, dilation in zip(layer.kernel_size, layer.dilation, strict=True))
    return layer.receptive_field == extent


def pooled(maps: Tensor, rectified: float) -> Tensor:
    """[N, K, h, w] → [N, K]: the mean over space; with `rectified` 1 of what is above zero, with −1 below."""
    if not rectified:
        return maps.mean((2, 3))
    beyond: Tensor = _MeanAboveZero.apply(maps if rectified > 0 else -maps)
    return beyond if rectified > 0 else -beyond


class _MeanAboveZero(Function):
    """`maps.relu().mean((2, 3))`, whose derivative comes in the maps' own memory format: autograd's comes in another,
    and bringing a stem's large maps together costs more than its convolution."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor) -> Tensor:
        above = maps.clamp_min(0)
        ctx.save_for_backward(above)
        return above.mean((2, 3))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,), (above,) = gradients, ctx.saved_tensors
        share = (gradient / (above.shape[2] * above.shape[3]))[:, :, None, None].expand_as(above)
        # the operator that autograd would call, so that RedirectedReLU (analysis/features/redirect.py) knows it
        return torch.ops.aten.threshold_backward(share, above, 0)
