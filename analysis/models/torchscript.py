"""TorchScript: checked for operators that touch files, then loaded as it is."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from analysis.models.archive import records_of, zipped
from analysis.models.checkpoint import damaged
from analysis.models.errors import ModelError
from analysis.models.find_size import find_size
from analysis.models.known_input import plain_input
from analysis.models.opened import Opened
from analysis.models.weights_only import conv_layers, no_images, stem_channels

_KNOWN = re.compile(
    r"[^/]+/(code/.+|(data|constants)(\.pkl|/\d+)|version|byteorder|\.format_version|\.storage_alignment|\.data/\w+)"
)
_DEBUG = ".debug_pkl"
_FILES = re.compile(r"\b(save|from_file)\b")
"""Wherever such a word stands: an operator can be called by no other spelling of its name."""
_SPACES = re.compile(r"(?<![\w.])ops\b(?:\.(\w+)\.\w+)?")
_KNOWN_SPACES = {"aten", "prim", "quantized", "torchvision", "mkldnn", "onednn"}
_TORCH = re.compile(r"(?<![\w.])torch\b(?!\.\w)")
_CLASSES = re.compile(rb"\btorch\.classes\b(?:[.\n](\w+))?")


def open_torchscript(path: Path, said: Mapping[str, Any]) -> Opened:
    """A scripted or traced net; `said`: what a person said of its input.

    Raises ModelError for damage and for code that could touch files.
    """
    records = records_of(path, _KNOWN, compressed=("code/", "debug_pkl", "constants"))
    check_code(path, records)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = torch.jit.load(zipped(records), map_location="cpu").eval().float()
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


def check_code(path: Path, records: Mapping[str, bytes]) -> None:
    """The program calls nothing that reads or writes files, and makes no objects of other libraries.

    Loading runs parts of a program, so its text is held to what torch itself writes: `torch.name(`, `ops.space.name(`,
    with nothing between. Raises ModelError, naming what is not so.
    """
    for name, content in records.items():
        if name.endswith(".pkl") or "/code/" in name:
            foreign = next((each for each in _CLASSES.finditer(content) if each[1] != b"quantized"), None)
            if foreign:
                raise _dangerous(path, foreign[0].decode().replace("\n", "."))
        if "/code/" not in name or name.endswith(_DEBUG):
            continue
        text = content.decode("utf-8", errors="replace")
        touching = _FILES.search(text)
        if touching:
            raise _dangerous(path, f"aten::{touching[1]}")
        strange = next((each for each in _SPACES.finditer(text) if each[1] not in _KNOWN_SPACES), None)
        if strange or _TORCH.search(text):
            raise _dangerous(path, strange[0] if strange else "torch in a way that torch does not write")


def _dangerous(path: Path, name: str) -> ModelError:
    return ModelError(
        f"{path.name} calls {name}, which can touch files or run code of another library. "
        "Export the net's forward pass alone, or get the file from a source that you trust."
    )
