"""Is a picture the model's, or the prior's? A check against the same net with weights drawn anew.

After the model randomisation test of saliency maps (Adebayo et al. 2018, arXiv 1810.03292): what a net of random
weights draws as well does not show what was learned.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Generator, Tensor

from analysis.errors import StrataError
from analysis.features.canvas import Canvas
from analysis.features.target import Target
from analysis.models.model import Model

ALIKE = 0.8
"""A twin's picture that drives the channel this far as much as its own shows the prior, not the model."""

STARTS = 8
"""Untouched canvases that say what a channel answers to the prior alone."""


def random_twin(model: Model, seed: int = 0) -> Model:
    """The same net, each tensor of weights drawn anew from a normal distribution of its own mean and deviation.

    Raises StrataError where the net can not be copied or holds no weights.
    """
    try:
        module = copy.deepcopy(model.module)
    except Exception as error:  # programs that can not be copied say so in their own ways
        raise StrataError(f"{model.card.name} can not be copied, so it has no random twin. Leave twin out.") from error
    generator = Generator().manual_seed(seed)
    drawn = 0
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dim() >= 2 and tensor.is_floating_point() and tensor.numel() > 1:
            fresh = torch.randn(tensor.shape, generator=generator).to(tensor)
            tensor.data.copy_(fresh * tensor.std() + tensor.mean())
            drawn += 1
    if not drawn:
        raise StrataError(f"{model.card.name} holds no weights of its own, so it has no random twin. Leave twin out.")
    return replace(model, module=module)


def share_of_twin(
    target: Target, canvas: Canvas, number: Callable[[Tensor], Tensor], own: Tensor, twin: Tensor
) -> float:
    """How far the twin's picture drives what was asked for, in times of how far its own does, both from what untouched
    canvases reach. number: maps → [N], as `number_of` makes it. own, twin: [1, C, H, W] in [0, 1]."""
    starts = canvas.picture(canvas.start([Generator().manual_seed(seed) for seed in range(STARTS)]))
    with torch.no_grad():
        values = [number(target.maps(each)).mean() for each in (starts, own, twin)]
    nothing, reached, by_twin = (float(value) for value in values)
    return (by_twin - nothing) / (reached - nothing) if reached != nothing else float("nan")
