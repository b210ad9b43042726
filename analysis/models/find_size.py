"""The input size of a net that does not say: the first usual one at which it runs."""

from __future__ import annotations

import torch
from torch import nn

from analysis.models.errors import ModelError

SIZES = (
    224,
    256,
    32,
    28,
    64,
    96,
    128,
    299,
    384,
    320,
    416,
    512,
    640,
    48,
    40,
    100,
    112,
    150,
    160,
    192,
    227,
    240,
    300,
    448,
)


def find_size(module: nn.Module, channels: int, name: str) -> tuple[int, str]:
    """(side in px, why). Nets that run at several sizes get the first of them. Raises ModelError where none runs."""
    reason = ""
    for size in SIZES:
        try:
            with torch.no_grad():
                module(torch.zeros(1, channels, size, size))
        except Exception as error:  # a size that does not fit fails in any way
            reason = reason or (str(error).strip().splitlines() or ["it fails"])[-1]
        else:
            return size, f"assumed: it runs at {size}×{size}, and the file does not say"
    raise ModelError(
        f"{name} runs at none of {len(SIZES)} usual image sizes with {channels} channels ({reason}). "
        "Say what it takes: --input channels=1 --input height=48 --input width=48, say."
    )
