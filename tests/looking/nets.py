"""Nets whose channels answer at a place that is known."""

import torch
from torch import nn

from analysis.models.model import Model
from tests.features.nets import model_of, spec_of


def finder(padding: int = 1, stride: int = 2, height: int = 48, width: int = 64) -> Model:
    """Two convs and a head: the channels of `2` answer brightness (0), darkness (1) and nothing at all (2)."""
    first = nn.Conv2d(3, 2, 3, stride=stride, padding=padding)
    second = nn.Conv2d(2, 3, 3, stride=2, padding=padding)
    with torch.no_grad():
        first.weight.copy_(torch.stack([torch.full((3, 3, 3), 1 / 27), torch.full((3, 3, 3), -1 / 27)]))
        first.bias.zero_()
        second.weight.zero_()
        second.weight[0, 0], second.weight[1, 1] = 1 / 9, 1 / 9
        second.bias.copy_(torch.tensor([0.0, 0.0, -1.0]))
    head = nn.Linear(3, 3)
    with torch.no_grad():
        head.weight.copy_(torch.eye(3))
        head.bias.zero_()
    net = nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    return model_of(net, spec_of(3, height, width))


def spot(y: int, x: int, height: int = 48, width: int = 64, radius: int = 2) -> torch.Tensor:
    """[1, 3, H, W]: grey, as the mean that the net subtracts, and a white spot."""
    image = torch.full((1, 3, height, width), 0.5)
    image[:, :, max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1] = 1
    return image
