"""The nets of torchvision, timm and this project by name: build one, and know what it is fed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from analysis.models.blank import blank_weights, only_shapes
from analysis.models.cifar_resnet import CIFAR_RESNETS
from analysis.models.torchvision_import import torchvision

TORCHVISION, TIMM, OWN = "torchvision", "timm", "strata"


def names(zoo: str) -> list[str]:
    """Every net of a zoo, without its quantised twins (they compute in int8)."""
    if zoo == TORCHVISION:
        return [name for name in torchvision.models.list_models() if not name.startswith("quantized_")]
    if zoo == TIMM:
        import timm

        return list(timm.list_models())
    return sorted(CIFAR_RESNETS)


def build(zoo: str, name: str) -> nn.Module:
    """The net with blank weights, in eval mode."""
    with blank_weights():
        return _builder(zoo, name)().eval()


def outline(zoo: str, name: str, classes: int | None = None) -> nn.Module:
    """The net without memory for its weights. `classes`: another number of outputs; TypeError where it takes none."""
    options = {} if classes is None else {"num_classes": classes}
    try:
        with only_shapes():
            return _builder(zoo, name)(**options)
    except NotImplementedError:  # a few fill a buffer from a small network of theirs, which needs real numbers
        with blank_weights():
            return _builder(zoo, name)(**options)


def _builder(zoo: str, name: str) -> Callable[..., nn.Module]:
    if zoo == TORCHVISION:
        fixed: Mapping[str, Any] = {"weights": None}
        make = torchvision.models.get_model_builder(name)
        parameters = inspect.signature(make).parameters
        if "weights_backbone" in parameters:
            fixed = {**fixed, "weights_backbone": None}
        if name in {"googlenet", "inception_v3"}:
            fixed = {**fixed, "init_weights": False}
        return lambda **options: make(**fixed, **options)
    if zoo == TIMM:
        import timm

        return lambda **options: timm.create_model(name, pretrained=False, **options)
    return CIFAR_RESNETS[name]
