"""The weights of conv layers, as they are applied: by layer name, whatever format the model came in."""

from __future__ import annotations

import torch

from analysis.models.assemble import example_of
from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped


def layer_weights(model: Model) -> dict[str, torch.Tensor]:
    """Layer → its weight, [out, in ÷ groups, kernel …] ([in, out ÷ groups, …] for transposed ones), float32.

    Taken from one forward pass, so weights that are computed on the way (standardised, dequantised) come as applied.
    """
    found: dict[str, torch.Tensor] = {}

    def seen(call: ConvCall) -> bool:
        found.setdefault(model.calls[call.number], call.weight.detach().clone())
        return call.number + 1 < len(model.calls)

    with torch.no_grad():
        run_tapped(ConvTap(seen), lambda: model(example_of(model.card.input)))
    return found
