"""Whole pickled modules, opened in earnest: they import and run what they say, so only under --trust."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from analysis.models.errors import ModelError
from analysis.models.find_size import find_size
from analysis.models.known_input import plain_input
from analysis.models.opened import Opened
from analysis.models.weights_only import conv_layers, no_images, stem_channels


def open_whole_module(path: Path, said: Mapping[str, Any]) -> Opened:
    """Unpickle a file that a person trusts and take its module; `said`: what they said of its input.

    Raises ModelError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # it runs the file's own code
        raise ModelError(
            f"{path.name} can not be unpickled: {type(error).__name__}: {error}. "
            "Run Strata where the classes that it was saved with can be imported."
        ) from error
    module = _module_in(content)
    if module is None:
        raise ModelError(f"{path.name} holds no torch module. Save the model itself, or its state dict.")
    module = module.eval().float()
    state = dict(module.state_dict())
    layers = conv_layers(state)
    if not layers:
        raise ModelError(f"{path.name} holds no convolution. Strata shows what convolutions learned: open a convnet.")
    if layers[0].kind != "Conv2d":
        raise no_images(path.name, state, "pickled module")
    channels = stem_channels(layers)
    channels, size, source = find_size(module, channels, path.name, said)
    return Opened(
        module=module,
        spec=plain_input(channels, size, source),
        format="pickled module",
        evidence=f"A whole pickled module of class {type(module).__module__}.{type(module).__name__}, opened on trust.",
    )


def _module_in(content: Any) -> nn.Module | None:
    if isinstance(content, nn.Module):
        return content
    values = content.values() if isinstance(content, Mapping) else []
    return next((value for value in values if isinstance(value, nn.Module)), None)
