"""The last look before a model is handed out: it computes finite numbers, and gradients reach the image."""

from __future__ import annotations

from dataclasses import replace

import torch

from analysis.models.assemble import example_of
from analysis.models.capture import run_to
from analysis.models.errors import ModelError
from analysis.models.model import Model

SAMPLE = 4
"""Layers whose gradient is tried: from the first to the last, evenly."""


def verified(model: Model) -> Model:
    """The model, with what was checked on its card. Raises ModelError, with the reason, for what fails.

    Of a few 2-D layers between the first and the last: reached, finite, and the gradient of their outputs' sum of
    squares reaches the image, finite and not all zero.
    """
    layers = [layer.name for layer in model.card.layers if layer.receptive_field is not None]
    if not layers:
        raise ModelError(f"{model.card.name} has no convolution over images. Strata makes pictures of those.")
    chosen = sorted({round(place * (len(layers) - 1) / (SAMPLE - 1)) for place in range(SAMPLE)})
    for layer in (layers[place] for place in chosen):
        _check(model, layer)
    checked = {**model.card.verification, "gradient checked at": [layers[place] for place in chosen]}
    return replace(model, card=replace(model.card, verification=checked))


def _check(model: Model, layer: str) -> None:
    images = example_of(model.card.input, seed=2).requires_grad_()
    output = run_to(model, images, layer)
    if not output.isfinite().all():
        raise ModelError(
            f"{model.card.name} gives numbers that are not finite at {layer}: its weights are damaged, or "
            "overflowed in training. Use an earlier checkpoint."
        )
    (gradient,) = torch.autograd.grad(output.square().sum(), images, allow_unused=True)
    if gradient is None or not gradient.isfinite().all():
        raise ModelError(
            f"No usable gradient reaches the image from {layer} of {model.card.name}, so no picture can be made. "
            "Export the model in float32, without quantisation."
        )
