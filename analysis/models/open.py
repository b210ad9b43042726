"""Open a model file: sniff the format by content, dispatch, run it once. The only public entry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.models.assemble import Origin, assemble
from analysis.models.batch_check import checked_for_batches
from analysis.models.checkpoint import read_checkpoint, read_safetensors
from analysis.models.errors import ModelError
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model
from analysis.models.onnx_file import open_onnx
from analysis.models.opened import Opened
from analysis.models.sniff import Format, sniff
from analysis.models.state_dict import open_state_dict

_GRAPHS = {Format.ONNX, Format.EXPORTED, Format.TORCHSCRIPT}
"""Formats that recorded a run, and may have kept the size of its batch."""


def open_model(
    path: str | Path,
    *,
    architecture: str | None = None,
    input_spec: Mapping[str, Any] | None = None,
    trust: bool = False,
) -> Model:
    """Open what a person trained.

    architecture : the net whose weights these are, where recognition is not wanted or not possible
    input_spec   : fields of InputSpec that override what was found (`{"mean": (0, 0, 0)}`)
    trust        : allow a file to run its own code

    The same file opens the same way again with `open_model(path, **model.card.options)`. Raises ModelError.
    """
    path = Path(path)
    kind = sniff(path)
    opened = _opener(kind, path, architecture)
    options: dict[str, Any] = {}
    if opened.architecture:
        options["architecture"] = opened.architecture
    if input_spec:
        options["input_spec"] = {name: _plain(value) for name, value in input_spec.items()}
    origin = Origin(
        name=path.stem,
        format=opened.format,
        architecture=opened.architecture,
        evidence=opened.evidence,
        sha256=_sha256(path),
        warnings=opened.warnings,
        alternatives=opened.alternatives,
        verification=opened.verification,
        options=options,
    )
    model = assemble(opened.module, _overridden(opened.spec, input_spec or {}), origin, opened.names)
    return checked_for_batches(model) if kind in _GRAPHS else model


def _opener(kind: Format, path: Path, architecture: str | None) -> Opened:
    if kind is Format.ONNX:
        return open_onnx(path)
    content = read_safetensors(path) if kind is Format.SAFETENSORS else read_checkpoint(path)
    opened = open_state_dict(content, path.name, architecture)
    return replace(opened, format="safetensors") if kind is Format.SAFETENSORS else opened


def _overridden(spec: InputSpec, chosen: Mapping[str, Any]) -> InputSpec:
    known = set(InputSpec.__dataclass_fields__) - {"evidence"}
    unknown = chosen.keys() - known
    if unknown:
        raise ModelError(f"An input has no “{min(unknown)}”. It has {', '.join(sorted(known))}.")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list | tuple) else value for name, value in chosen.items()
    }
    return replace(spec, **values, evidence={**spec.evidence, **dict.fromkeys(chosen, "as you said")})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
