"""One number of a channel's map."""

from __future__ import annotations

from torch import Tensor

from analysis.models.layers import ConvLayer


def rectifies(layer: ConvLayer) -> bool:
    """Whether a layer's map is pooled above zero: where the conv sees the input itself.

    There the map is linear in the picture, and the plain mean of an edge filter is zero whatever edges it is shown.
    """
    extent = tuple(dilation * (size - 1) + 1 for size, dilation in zip(layer.kernel_size, layer.dilation, strict=True))
    return layer.receptive_field == extent


def pooled(maps: Tensor, rectified: bool) -> Tensor:
    """[N, K, h, w] → [N, K]: the mean over space, of what is above zero if `rectified`."""
    return (maps.relu() if rectified else maps).mean((2, 3))
