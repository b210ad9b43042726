"""The CIFAR ResNets of He et al. 2015, section 4.2: 20 to 110 layers, three stages of 16, 32 and 64 channels.

Neither torchvision nor timm has them. Their shortcuts come in two kinds: option A has no weights (every second pixel,
new channels zero), option B a 1×1 convolution with batch norm.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from analysis.models.residual import ResidualBlock, ResidualNet


def _net(depth: int, projection: str | None, num_classes: int = 10) -> ResidualNet:
    """`projection`: what the shortcut is called where it has weights, None for option A."""
    count = (depth - 2) // 6
    stages = [
        [
            ResidualBlock(
                [(outside, inside if number == 0 else outside, 3, 3), (outside, outside, 3, 3)],
                stride if number == 0 else 1,
                projection if number == 0 and inside != outside else None,
            )
            for number in range(count)
        ]
        for inside, outside, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2))
    ]
    return ResidualNet((16, 3, 3, 3), stages, "linear", num_classes)


CIFAR_RESNETS: dict[str, Callable[..., ResidualNet]] = {
    f"cifar_resnet{depth}{suffix}": partial(_net, depth, projection)
    for depth in (20, 32, 44, 56, 110)
    for projection, suffix in ((None, ""), ("shortcut", "_b"))
}
