"""The samples' own net: He's residual net with a stem wide enough to show edges.

Sources: He, Zhang, Ren, Sun 2015 (1512.03385): basic blocks, stages that halve the map and double the channels,
parameter-free shortcuts (their option A); the stem is the 7×7 of their ImageNet nets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Plan:
    """classes: outputs · widths: channels of each stage · blocks: residual blocks a stage · stem: (kernel, stride)"""

    classes: int
    widths: Sequence[int] = (16, 32, 64)
    blocks: int = 2
    stem: tuple[int, int] = (7, 2)
    channels: int = 3


START = 0.25
"""Scale of the first kernels, of He's."""
DOODLES = Plan(classes=12)
"""The default sample: twelve classes, three stages of two blocks."""


class Block(nn.Module):
    """Two 3×3 convs beside a shortcut; a stride halves the map, missing channels are zeros."""

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(entering, leaving, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(leaving)
        self.conv2 = nn.Conv2d(leaving, leaving, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(leaving)
        self.stride, self.missing = stride, leaving - entering

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        before = self.missing // 2
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.missing - before))
        return F.relu(out + shortcut)


class ResNet(nn.Module):
    """[B, channels, H, W] normalised → [B, classes] logits."""

    def __init__(self, plan: Plan = DOODLES) -> None:
        super().__init__()
        kernel, stride = plan.stem
        entering = plan.widths[0]
        self.conv1 = nn.Conv2d(plan.channels, entering, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(entering)
        self.stages = len(plan.widths)
        for number, width in enumerate(plan.widths, start=1):
            steps = [1 if number == 1 else 2] + [1] * (plan.blocks - 1)
            entries = [entering] + [width] * (plan.blocks - 1)
            blocks = [Block(before, width, step) for before, step in zip(entries, steps, strict=True)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            entering = width
        self.linear = nn.Linear(entering, plan.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                # Behind every conv stands a batch norm, so the scale changes nothing but how soon the kernels turn
                # away from where they began: in a training this short, from what is left of the random start.
                with torch.no_grad():
                    module.weight.mul_(START)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        for number in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return self.linear(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
