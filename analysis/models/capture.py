"""Run a model up to a layer and no further; read layers' outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from analysis.models.errors import ModelError
from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped


def _layer_of(model: Model, call: ConvCall) -> str:
    """The layer a call belongs to: a net calls its convolutions in the same order in every pass."""
    if call.number >= len(model.calls):
        raise ModelError(
            f"{model.card.name} ran more convolutions than when it was opened. "
            "Nets whose path depends on the image can not be read; export one path to ONNX."
        )
    return model.calls[call.number]


def _check(model: Model, layers: Sequence[str]) -> None:
    for layer in layers:
        model.card.layer(layer)


def run_to(model: Model, images: torch.Tensor, layer: str) -> torch.Tensor:
    """The output of one layer; what comes after it is not run.

    images [B, C, H, W] in [0, 1] → [B, out_channels, h, w], before any following operator, with the gradient to the
    images kept where they ask for one. Of a layer that is called several times, the first call's.
    """
    _check(model, [layer])
    if model.card.one_by_one and len(images) > 1:
        return torch.cat([run_to(model, image, layer) for image in images.split(1)])
    found: list[torch.Tensor] = []

    def seen(call: ConvCall) -> bool:
        if _layer_of(model, call) == layer:
            found.append(call.output)
        return not found

    run_tapped(ConvTap(seen), lambda: model(images))
    if not found:
        raise ModelError(f"{model.card.name} did not reach layer “{layer}” with this input. Try the model's own size.")
    return found[0]


def visit(
    model: Model, images: torch.Tensor, layers: Sequence[str], visitor: Callable[[str, int, torch.Tensor], None]
) -> None:
    """One forward pass; `visitor(layer, site, output)` is called as each wanted output appears, then it is let go.

    images [B, C, H, W] in [0, 1]; output [B, out_channels, h, w], without gradient, to be read at once and not kept:
    the model may change it in place afterwards. `site` counts the calls of a shared layer from 0. The pass is stopped
    after the last wanted layer. A model that runs one by one calls the visitor once an image.
    """
    _check(model, layers)
    wanted = {layer: model.calls.count(layer) for layer in layers}
    for part in images.split(1) if model.card.one_by_one else [images]:
        count = dict.fromkeys(layers, 0)

        def seen(call: ConvCall, count: dict[str, int] = count) -> bool:
            layer = _layer_of(model, call)
            if layer in count:
                visitor(layer, count[layer], call.output)
                count[layer] += 1
            return count != wanted

        with torch.no_grad():
            run_tapped(ConvTap(seen), lambda part=part: model(part))  # type: ignore[misc]


def read(model: Model, images: torch.Tensor, layers: Sequence[str]) -> dict[str, list[torch.Tensor]]:
    """The outputs of several layers from one forward pass, without gradient: layer → one tensor a site.

    images [B, C, H, W] in [0, 1] → [B, out_channels, h, w] each: copies, so safe against later in-place operators.
    """
    parts: dict[str, dict[int, list[torch.Tensor]]] = {layer: {} for layer in layers}
    visit(model, images, layers, lambda layer, site, output: parts[layer].setdefault(site, []).append(output.clone()))
    return {layer: [torch.cat(sites[site]) for site in sorted(sites)] for layer, sites in parts.items()}
