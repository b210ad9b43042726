"""The last look before a model is handed out: finite numbers, gradients that reach the image, an input that fits."""

from __future__ import annotations

from dataclasses import replace

import torch

from analysis.models.assemble import example_of
from analysis.models.broken import broken_layers, mended, told
from analysis.models.capture import run_to
from analysis.models.errors import ModelError
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model
from analysis.models.normalisation import doubt

SAMPLE = 4
"""Layers whose gradient is tried: from the first to the last, evenly."""


def verified(model: Model) -> Model:
    """The model, with what was checked on its card. Raises ModelError, with the reason, for what fails.

    Of a few 2-D layers between the first and the last: reached, finite, and the gradient of their outputs' sum of
    squares reaches the image, finite and not all zero. Where weights are no numbers, with 0 in their place: the card
    warns of them.
    """
    layers = [layer.name for layer in model.card.layers if layer.receptive_field is not None]
    if not layers:
        raise ModelError(f"{model.card.name} has no convolution over images. Strata makes pictures of those.")
    chosen = sorted({round(place * (len(layers) - 1) / (SAMPLE - 1)) for place in range(SAMPLE)})
    broken = broken_layers(model)
    doubts = [told(broken) if broken else None]
    with mended(model.module):
        for layer in (layers[place] for place in chosen):
            _check(model, layer)
        if model.card.input.evidence.get("mean", "assumed").startswith("assumed"):
            doubts.append(doubt(model))
    checked = {**model.card.verification, "gradient checked at": [layers[place] for place in chosen]}
    warnings = (*model.card.warnings, *(text for text in doubts if text))
    spec = _with_any_size(model)
    return replace(model, card=replace(model.card, verification=checked, warnings=warnings, input=spec))


def _with_any_size(model: Model) -> InputSpec:
    """The input, saying whether the net also runs at a size that nobody trained it for."""
    spec = model.card.input
    if spec.any_size or "any_size" in spec.evidence:
        return spec
    height, width = spec.height + 32, spec.width + 64
    try:
        with torch.no_grad():
            model.module(spec.prepare(torch.rand(1, spec.channels, height, width)))
    except Exception:  # a net of one size fails in any way at another
        return spec
    evidence = {**spec.evidence, "any_size": f"it also ran at {height}×{width}"}
    return replace(spec, any_size=True, evidence=evidence)


def _check(model: Model, layer: str) -> None:
    images = example_of(model.card.input, seed=2).requires_grad_()
    output = run_to(model, images, layer)
    if not output.isfinite().all():
        raise ModelError(
            f"{model.card.name} gives numbers that are not finite at {layer}: its weights are damaged, or "
            "overflowed in training. Use an earlier checkpoint."
        )
    scale = output.detach().abs().max().clamp(min=1e-30)  # squares of large numbers overflow
    (gradient,) = torch.autograd.grad((output / scale).square().sum(), images, allow_unused=True)
    if gradient is None or not gradient.isfinite().all():
        raise ModelError(
            f"No usable gradient reaches the image from {layer} of {model.card.name}, so no picture can be made. "
            "Export the model in float32, without quantisation."
        )
