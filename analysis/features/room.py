"""How many pictures are climbed for side by side: as many as pay, and as memory has room for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from analysis.features.size import View
from analysis.features.target import Target, shown
from analysis.heap import allowed_memory

SHARE = 0.4
"""Of a process's memory, what the maps that a step keeps for its derivative may take: the derivatives of as much
come beside them, and the net's weights."""
AT_ONCE = 128
"""Pictures side by side on a GPU, which has more to do with more of them."""


def batch_of(target: Target) -> int:
    """On a processor 8 pictures of 128 px, more of smaller ones, where the cost of a call weighs more; fewer where
    there is no memory for them. The same on one machine each time: digits depend on it."""
    device = target.model.device
    usual = AT_ONCE if device.type == "cuda" else usual_batch(target.view)
    return max(1, min(usual, int(SHARE * memory_of(device) / max(1, bytes_a_picture(target)))))


def usual_batch(view: View) -> int:
    pixels = (view.height + 2 * view.wrap) * (view.width + 2 * view.wrap)
    return 8 if pixels > 96**2 else 16


def memory_of(device: torch.device) -> int:
    """Bytes that this process may use there."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return allowed_memory()


def bytes_a_picture(target: Target) -> int:
    """What a forward pass to the target keeps for its derivative, and its map, for each picture: the difference between
    two pictures and one, in which the weights fall out."""
    one, two = (_kept(target, count) for count in (1, 2))
    return two - one


def _kept(target: Target, count: int) -> int:
    kept: dict[int, tuple[Tensor, int]] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = tensor, storage.nbytes()  # held, so that its place is not given away
        return tensor

    view, channels = target.view, target.model.card.input.channels
    pictures = torch.full((count, channels, view.height, view.width), 0.5, requires_grad=True)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        keep(target.read(shown(pictures, view)))
    return sum(size for _, size in kept.values())
