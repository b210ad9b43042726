"""Does a batch give what its images give alone? Exporters that saw one image may have baked that in, silently."""

from __future__ import annotations

from dataclasses import replace

import torch

from analysis.models.assemble import example_of
from analysis.models.broken import mended
from analysis.models.capture import visit
from analysis.models.difference import difference
from analysis.models.model import Model

TOLERANCE = 1e-3
"""Of a layer's standard deviation; other orders of summation give about 1e-6."""


def checked_for_batches(model: Model) -> Model:
    """The model, told to run images one by one where two together differ from each alone in any convolution."""
    images = example_of(model.card.input, count=2, seed=1)
    try:
        with mended(model.module):
            together = _outputs(model, images)
            alone = [_outputs(model, image) for image in images.split(1)]
        worst = max(difference(both, torch.cat(single)) for both, *single in zip(together, *alone, strict=True))
    except Exception:  # a batch that can not be run at all, for whatever reason
        worst = float("inf")
    checked = {**model.card.verification, "batch difference": worst if worst < float("inf") else None}
    return replace(model, card=replace(model.card, verification=checked, one_by_one=not worst <= TOLERANCE))


def _outputs(model: Model, images: torch.Tensor) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    names = [layer.name for layer in model.card.layers]
    visit(model, images, names, lambda layer, site, output: found.append(output.clone()))
    return found
