"""Residual nets of any width and depth, rebuilt by rule from the names that torchvision gave them.

`conv1`, `bn1`, `layer1.0.conv1` … `layer1.0.downsample.0` (or `shortcut`), and one linear layer: these names say which
net it is, and shapes say how wide. Strides leave no trace, so they are taken as He et al. 2015 (1512.03385) have them:
each stage after the first begins with a stride of 2, and a first kernel of 5 px or more has one too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from analysis.models.blank import blank_weights

_BLOCK = re.compile(r"layer(\d+)\.(\d+)\.(conv|bn)([123])\.")
_PROJECTION = re.compile(r"layer(\d+)\.(\d+)\.(downsample|shortcut)\.[01]\.")
_LARGE = 5
"""px: a first kernel of this side or more has a stride of 2."""


@dataclass(frozen=True)
class RebuiltResidual:
    """The net with the weights in it, the size to give it, and what was assumed."""

    module: nn.Module
    size: int
    assumed: str


class PaddedShortcut(nn.Module):
    """Option A of He et al.: every second pixel, the new channels zero, half of them on each side."""

    def __init__(self, added: int, stride: int) -> None:
        super().__init__()
        self.added, self.stride = added, stride

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        before = self.added // 2
        return F.pad(maps[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.added - before))


class ResidualBlock(nn.Module):
    """Two or three convolutions beside a shortcut; the first with more than one pixel has the stride, as torchvision's.

    kernels    : the shape of each convolution's weight
    projection : what the shortcut is called where it has weights
    """

    def __init__(self, kernels: Sequence[Sequence[int]], stride: int, projection: str | None) -> None:
        super().__init__()
        self.count = len(kernels)
        spatial = next((place for place, kernel in enumerate(kernels) if kernel[2] > 1), 0)
        entering = kernels[0][1]
        for place, (outside, inside, side, _) in enumerate(kernels):
            width = kernels[place - 1][0] if place else entering
            step = stride if place == spatial else 1
            conv = nn.Conv2d(width, outside, side, step, side // 2, groups=width // inside, bias=False)
            self.add_module(f"conv{place + 1}", conv)
            self.add_module(f"bn{place + 1}", nn.BatchNorm2d(outside))
        leaving = kernels[-1][0]
        self.projection = projection
        if projection is None:
            self.padded = PaddedShortcut(leaving - entering, stride)
        else:
            conv = nn.Conv2d(entering, leaving, 1, stride, bias=False)
            self.add_module(projection, nn.Sequential(conv, nn.BatchNorm2d(leaving)))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        inner = maps
        for place in range(1, self.count + 1):
            inner = self.get_submodule(f"bn{place}")(self.get_submodule(f"conv{place}")(inner))
            inner = F.relu(inner) if place < self.count else inner
        shortcut = self.get_submodule(self.projection or "padded")
        return F.relu(inner + shortcut(maps))


class ResidualNet(nn.Module):
    """Stem, stages, mean over the map, a linear layer called `head`.

    stem : the shape of the first convolution's weight
    """

    def __init__(
        self, stem: Sequence[int], stages: Sequence[Sequence[ResidualBlock]], head: str, num_classes: int
    ) -> None:
        super().__init__()
        side = stem[2]
        self.conv1 = nn.Conv2d(stem[1], stem[0], side, 2 if side >= _LARGE else 1, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(stem[0])
        # parameter-free shortcuts are those of the nets for small images, which do not pool after the stem
        projected = any(block.projection for stage in stages for block in stage)
        self.maxpool: nn.Module = nn.MaxPool2d(3, 2, 1) if side >= _LARGE and projected else nn.Identity()
        self.stages = len(stages)
        for number, stage in enumerate(stages, 1):
            self.add_module(f"layer{number}", nn.Sequential(*stage))
        self.head = head
        last = next(part for part in reversed(list(stages[-1][-1].modules())) if isinstance(part, nn.BatchNorm2d))
        self.add_module(head, nn.Linear(last.num_features, num_classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.maxpool(F.relu(self.bn1(self.conv1(images))))
        for number in range(1, self.stages + 1):
            maps = self.get_submodule(f"layer{number}")(maps)
        logits: torch.Tensor = self.get_submodule(self.head)(maps.mean((2, 3)))
        return logits


def rebuild_residual(state: Mapping[str, torch.Tensor]) -> RebuiltResidual | None:
    """The residual net whose weights these are; None where a name or a shape says that they are another's."""
    stem = state.get("conv1.weight")
    head = next((key for key, value in state.items() if value.dim() == 2 and key.count(".") == 1), None)
    if stem is None or head is None or stem.dim() != 4 or len(set(stem.shape[2:])) != 1:
        return None
    stages = _stages(state)
    if not stages:
        return None
    try:
        with blank_weights():
            module = ResidualNet(stem.shape, stages, head.removesuffix(".weight"), len(state[head])).eval()
        module.load_state_dict({key: value for key, value in state.items() if not key.endswith("num_batches_tracked")})
        with torch.no_grad():
            module(torch.zeros(1, stem.shape[1], 64, 64))
    except (RuntimeError, ZeroDivisionError):  # a tensor too many, too few or of another shape
        return None
    pools, step = isinstance(module.maxpool, nn.MaxPool2d), module.conv1.stride[0]
    pooling = "max pooling" if pools else "no pooling"
    assumed = f"a first convolution of stride {step} and {pooling} after it, stride 2 at each further stage, ReLU"
    return RebuiltResidual(module, 224 if pools else 96 if step == 2 else 32, assumed)


def _stages(state: Mapping[str, torch.Tensor]) -> list[list[ResidualBlock]]:
    kernels: dict[tuple[int, int], dict[int, torch.Size]] = {}
    projections: dict[tuple[int, int], str] = {}
    for key, value in state.items():
        block, projection = _BLOCK.match(key), _PROJECTION.match(key)
        if block and block[3] == "conv" and value.dim() == 4:
            kernels.setdefault((int(block[1]), int(block[2])), {})[int(block[4])] = value.shape
        elif projection:
            projections[int(projection[1]), int(projection[2])] = projection[3]
    stages: list[list[ResidualBlock]] = []
    for (stage, number), shapes in sorted(kernels.items()):
        if number == 0:
            stages.append([])
        if stage != len(stages) or number != len(stages[-1]) or sorted(shapes) != list(range(1, len(shapes) + 1)):
            return []
        stride = 2 if stage > 1 and number == 0 else 1
        ordered = [shapes[place] for place in sorted(shapes)]
        stages[-1].append(ResidualBlock(ordered, stride, projections.get((stage, number))))
    return stages
