"""In how many digits the net is run while a picture is climbed for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

MIXED, FULL = "mixed", "full"


def net_in(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Within it convolutions compute in bfloat16 if asked to and if the device has instructions for that; elsewhere it
    would be slower than float32. Canvas, scores and all that is measured stay in float32."""
    if precision == FULL or not has_bfloat16(device):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def has_bfloat16(device: torch.device) -> bool:
    """Whether this device multiplies bfloat16 natively: GPUs from Ampere on, processors with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
