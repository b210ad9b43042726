"""In how many digits the net is run while a picture is climbed for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

FULL = "full"
ALIKE = 0.1
"""Greatest root mean square difference to float32, as a share of a map's deviation: SqueezeNet's last conv and the last
of ResNet-56 stand at 0.02 and 0.01, nets that enlarge rounding far above."""


def net_in(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Within it convolutions compute in bfloat16 if asked to and if the device has instructions for that; elsewhere it
    would be slower than float32. Canvas, scores and all that is measured stay in float32."""
    if precision == FULL or not has_bfloat16(device):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def bearable(precision: str, read: Callable[[Tensor], Tensor], pictures: Tensor) -> str:
    """`precision`; FULL where the net does not bear few digits: where it raises then, or answers otherwise.

    Tried once a climb, there and back, on a few pictures.
    """
    if precision == FULL or not has_bfloat16(pictures.device):
        return FULL
    leaf = pictures.detach().requires_grad_()
    try:
        with net_in(pictures.device, precision):
            found = read(leaf).float()
        torch.autograd.grad(found.sum(), leaf)
    except Exception:  # whatever a net's own code raises when types do not fit
        return FULL
    with torch.no_grad():
        wanted = read(pictures)
        apart = (found - wanted).square().mean().sqrt()
    return precision if bool(apart <= ALIKE * wanted.std()) else FULL


def has_bfloat16(device: torch.device) -> bool:
    """Whether this device multiplies bfloat16 natively: GPUs from Ampere on, processors with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
