"""The input size of a net that does not say: the first usual one at which it runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

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


def find_size(
    module: nn.Module, channels: int, name: str, said: Mapping[str, Any] | None = None
) -> tuple[int, int, str]:
    """(channels, side in px, why). Nets that run at several sizes get the first of them.

    channels : of the first convolution, tried first; a net that transforms its image before that takes 3 or 1
    said     : what a person said of the input (fields of InputSpec), held to

    Raises ModelError where none runs.
    """
    said = said or {}
    planes = [said["channels"]] if "channels" in said else list(dict.fromkeys((channels, 3, 1)))
    known = "height" in said
    sizes = [(said["height"], said.get("width", said["height"]))] if known else [(side, side) for side in SIZES]
    reason = ""
    for count, (height, width) in itertools.product(planes, sizes):
        try:
            with torch.no_grad():
                module(torch.zeros(1, count, height, width))
        except Exception as error:  # a size that does not fit fails in any way
            reason = reason or (str(error).strip().splitlines() or ["it fails"])[-1]
        else:
            why = "as you said" if known else f"assumed: it runs at {height}×{width}, and the file does not say"
            return count, height, why
    tried = f"not at {sizes[0][0]}×{sizes[0][1]}" if known else f"at none of {len(SIZES)} usual image sizes"
    raise ModelError(
        f"{name} runs {tried} with {planes[0]} channels ({reason}). "
        "Say what it takes: --input channels=1 --input height=48 --input width=48, say."
    )
