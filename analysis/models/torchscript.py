"""TorchScript: checked for operators that touch files, then loaded as it is."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from analysis.models.checkpoint import check_archive, damaged
from analysis.models.errors import ModelError
from analysis.models.find_size import find_size
from analysis.models.known_input import plain_input
from analysis.models.opened import Opened
from analysis.models.weights_only import conv_layers, no_images, stem_channels

_FILES = re.compile(r"(?<![\w.])(?:torch|ops\.aten)\.(save|from_file|load|_load\w*|hub\w*)\s*\(")
_SPACES = re.compile(r"(?<![\w.])ops\.(\w+)\.(\w+)")
_KNOWN_SPACES = {"aten", "prim", "quantized", "torchvision", "mkldnn", "onednn"}
_FOREIGN = re.compile(r"__torch__\.torch\.classes\.(\w+)")


def open_torchscript(path: Path, said: Mapping[str, Any]) -> Opened:
    """A scripted or traced net; `said`: what a person said of its input.

    Raises ModelError for damage and for code that could touch files.
    """
    check_archive(path, compressed=("code/", "debug_pkl", "constants"))
    check_code(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = torch.jit.load(path, map_location="cpu").eval().float()
    except Exception as error:  # the reader is C++ and says what it likes
        if "prepacked" in str(error) or "xnnpack" in str(error).lower() or "Unknown builtin op" in str(error):
            raise ModelError(
                f"{path.name} was packed for one device and keeps no plain weights. Save it without optimising for it."
            ) from error
        raise damaged(path) from error
    state = dict(module.state_dict())
    layers = conv_layers(state)
    if layers and layers[0].kind != "Conv2d":
        raise no_images(path.name, state, "torchscript")
    # a frozen program keeps its weights as constants, out of sight: then three channels are as good a guess as any
    channels = stem_channels(layers) if layers else 3
    channels, size, source = find_size(module, channels, path.name, said)
    return Opened(
        module=module,
        spec=plain_input(channels, size, source),
        format="torchscript",
        evidence="A TorchScript program, run as it is.",
    )


def check_code(path: Path) -> None:
    """The program's own text calls nothing that reads or writes files. Raises ModelError, naming the operator."""
    with zipfile.ZipFile(path) as archive:
        for record in archive.namelist():
            if not record.endswith(".py"):
                continue
            text = archive.read(record).decode("utf-8", errors="replace")
            touching = _FILES.search(text)
            strange = next((match for match in _SPACES.finditer(text) if match[1] not in _KNOWN_SPACES), None)
            foreign = next((match for match in _FOREIGN.finditer(text) if match[1] != "quantized"), None)
            if touching or strange or foreign:
                name = f"aten::{touching[1]}" if touching else (strange or foreign)[0]  # type: ignore[index]
                raise ModelError(
                    f"{path.name} calls {name}, which can touch files or run code of another library. "
                    "Export the net's forward pass alone, or get the file from a source that you trust."
                )
