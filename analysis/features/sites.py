"""Where a layer is read: at the conv's own output, after its norm, or after its non-linearity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch

from analysis.errors import StrataError
from analysis.models.capture import run_to
from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped
from analysis.statistics.following import ACTIVATIONS, STEPS

Site = Literal["conv", "norm", "activation"]
NORMS = ("batch_norm", "native_batch_norm", "group_norm", "native_group_norm", "layer_norm", "native_layer_norm")
"""Beginnings of ATen operators' names."""


def run_to_site(model: Model, images: torch.Tensor, layer: str, site: Site) -> torch.Tensor:
    """[B, C, H, W] in [0, 1] → [B, K, h, w] of a conv layer at one of its sites, differentiable; no more is run.

    In a residual block the non-linearity is that of the sum. Raises StrataError where the layer has no such site.
    """
    if site == "conv":
        return run_to(model, images, layer)
    model.card.layer(layer)
    if model.card.one_by_one and len(images) > 1:
        return torch.cat([run_to_site(model, image, layer, site) for image in images.split(1)])
    tap = _SiteTap(model.calls, layer, site)
    run_tapped(tap, lambda: model(images))
    if tap.found is None:
        what = "normalisation" if site == "norm" else "non-linearity"
        raise StrataError(f"{layer} is not followed by a {what} of its own. Ask for it at site “conv”.")
    return tap.found


class _SiteTap(ConvTap):
    """Follows one conv's output, operator by operator, to the wanted site."""

    def __init__(self, calls: Sequence[str], layer: str, site: Site) -> None:
        super().__init__(self._begin)
        self._calls_of, self._layer, self._site = calls, layer, site
        self._at: torch.Tensor | None = None
        self.found: torch.Tensor | None = None

    def _begin(self, call: ConvCall) -> bool:
        if self._at is None and self._calls_of[call.number] == self._layer:
            self._at = call.output
        return True

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        output = func(*args, **kwargs)
        if self._at is None or not any(value is self._at for value in args):
            return output
        first = output[0] if isinstance(output, tuple | list) else output
        name = func._schema.name.split("::")[1].strip("_")
        if name in ACTIVATIONS or (name.startswith("clamp") and 0 in args[1:2]):
            self.stopped = self._site == "activation"
            self.found = first if self.stopped else None
            self._at = first
        elif name.startswith(NORMS) or "batch_norm" in name:
            self.stopped = self._site == "norm"
            self.found = first if self.stopped else None
            self._at = first
        elif name in STEPS:
            self._at = first
        return output
