"""Faults planted on purpose, so that what finds faults can be tried on nets whose faults are known."""

from __future__ import annotations

import torch
from torch import nn

from sample_models.net import ResNet

DEAD = {"layer1.1": (2, 5, 11), "layer3.0": (0, 7, 19, 33, 40, 58)}
"""Block → channels of its first conv that no ReLU lets through."""
TWINS = {"layer2.0": tuple((channel, channel + 16) for channel in range(8))}
"""Block → pairs of channels of its first conv that are one filter twice."""
UNTRAINED = "layer2.1.conv1"


@torch.no_grad()
def kill(net: ResNet) -> None:
    """Batch norms that shift a channel far below zero: the ReLU after it never opens and no gradient brings it back."""
    for block, channels in DEAD.items():
        norm = _norm(net, f"{block}.bn1")
        norm.weight[list(channels)] = 1e-3
        norm.bias[list(channels)] = -5.0


@torch.no_grad()
def forget(net: ResNet, seed: int) -> None:
    """Give one conv random weights again, as if its keys had not been found in the checkpoint, and freeze it."""
    conv = net.get_submodule(UNTRAINED)
    generator = torch.Generator().manual_seed(seed)
    assert isinstance(conv, nn.Conv2d)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu", generator=generator)
    conv.weight.requires_grad_(False)


@torch.no_grad()
def duplicate(net: ResNet) -> None:
    """Copy filters with their batch norm over others; who reads them gives half of the weight to each."""
    for block, pairs in TWINS.items():
        conv, reader = net.get_submodule(f"{block}.conv1"), net.get_submodule(f"{block}.conv2")
        norm = _norm(net, f"{block}.bn1")
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(reader, nn.Conv2d)
        for first, second in pairs:
            for tensor in (conv.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var):
                assert tensor is not None
                tensor[second] = tensor[first]
            reader.weight[:, first] *= 0.5
            reader.weight[:, second] = reader.weight[:, first]


def _norm(net: ResNet, name: str) -> nn.BatchNorm2d:
    norm = net.get_submodule(name)
    assert isinstance(norm, nn.BatchNorm2d)
    return norm
