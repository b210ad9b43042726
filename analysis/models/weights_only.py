"""Weights that nothing here can run: their convolutions, from the tensors alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from analysis.models.errors import OnlyWeights
from analysis.models.layers import ConvLayer

EXPORT = "torch.onnx.export(model.eval(), torch.rand(1, 3, 224, 224), 'model.onnx', opset_version=17, dynamo=False)"


def unknown(name: str, state: Mapping[str, torch.Tensor]) -> OnlyWeights:
    return OnlyWeights(
        f"{name} holds the weights of a net that is in neither torchvision nor timm. Name its class with "
        "--architecture my_net.py:MyNet --trust, or make an ONNX file where you trained it: "
        f"import torch; {EXPORT}",
        state,
    )


def no_images(name: str, state: Mapping[str, torch.Tensor], format: str) -> OnlyWeights:
    return OnlyWeights(
        f"{name} has convolutions but takes no images (its first one slides over a line or a volume), so no pictures "
        "can be made of it. Its layers and weights are listed all the same.",
        state,
        format,
    )


def conv_layers(state: Mapping[str, torch.Tensor]) -> tuple[ConvLayer, ...]:
    """Every tensor that looks like a convolution's weight, in the order of the file.

    A weight of three to five dimensions whose last ones are a kernel. Tensors do not say how they are applied, so
    stride, padding and dilation are left empty, and a kernel with one input channel is taken as depthwise.
    """
    return tuple(
        _layer(key, tensor, state.get(f"{key.removesuffix('.weight')}.bias"))
        for key, tensor in state.items()
        if key.endswith("weight") and _is_kernel(tensor)
    )


def _is_kernel(tensor: torch.Tensor) -> bool:
    return tensor.dim() in {3, 4, 5} and tensor.is_floating_point() and all(size <= 512 for size in tensor.shape[2:])


def _layer(key: str, tensor: torch.Tensor, bias: torch.Tensor | None) -> ConvLayer:
    outside, inside = tensor.shape[:2]
    depthwise = inside == 1 and outside > 1
    return ConvLayer(
        name=key.removesuffix(".weight"),
        kind=f"Conv{tensor.dim() - 2}d",
        in_channels=outside if depthwise else inside,
        out_channels=outside,
        kernel_size=tuple(tensor.shape[2:]),
        stride=(),
        padding=(),
        dilation=(),
        groups=outside if depthwise else 1,
        parameters=tensor.numel() + (bias.numel() if bias is not None else 0),
    )


def stem_channels(layers: tuple[ConvLayer, ...]) -> int:
    """How many channels the first convolution reads; a depthwise guess at the stem is one channel of input."""
    first = layers[0]
    return 1 if first.groups > 1 else first.in_channels
