"""The CIFAR ResNets of He et al. 2015, section 4.2: 20 to 110 layers, three stages of 16, 32 and 64 channels.

Neither torchvision nor timm has them. Their shortcuts come in two kinds: option A has no weights (every second pixel,
new channels zero), option B a 1×1 convolution with batch norm.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F


class PaddedShortcut(nn.Module):
    """Option A: every second pixel, the new channels zero, half of them on each side."""

    def __init__(self, added: int) -> None:
        super().__init__()
        self.added = added

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        before = self.added // 2
        return F.pad(maps[:, :, ::2, ::2], (0, 0, 0, 0, before, self.added - before))


class Block(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.shortcut: nn.Module = nn.Sequential()
        if stride != 1 or inside != outside:
            projection = nn.Conv2d(inside, outside, 1, stride, bias=False)
            padded = PaddedShortcut(outside - inside)
            self.shortcut = padded if option == "a" else nn.Sequential(projection, nn.BatchNorm2d(outside))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        inner = F.relu(self.bn1(self.conv1(maps)))
        return F.relu(self.bn2(self.conv2(inner)) + self.shortcut(maps))


class CifarResNet(nn.Module):
    """`head` is the attribute that holds the last linear layer: repositories call it `linear` or `fc`."""

    def __init__(self, depth: int, option: str, head: str, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1, self.layer2, self.layer3 = (
            self._stage(inside, outside, stride, (depth - 2) // 6, option)
            for inside, outside, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2))
        )
        self.head = head
        setattr(self, head, nn.Linear(64, num_classes))

    @staticmethod
    def _stage(inside: int, outside: int, stride: int, count: int, option: str) -> nn.Sequential:
        first = Block(inside, outside, stride, option)
        return nn.Sequential(first, *(Block(outside, outside, 1, option) for _ in range(count - 1)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = F.relu(self.bn1(self.conv1(images)))
        maps = self.layer3(self.layer2(self.layer1(maps)))
        logits: torch.Tensor = getattr(self, self.head)(maps.mean((2, 3)))
        return logits


CIFAR_RESNETS: dict[str, Callable[..., nn.Module]] = {
    f"cifar_resnet{depth}{suffix}": partial(CifarResNet, depth, option, "linear")
    for depth in (20, 32, 44, 56, 110)
    for option, suffix in (("a", ""), ("b", "_b"))
}
