"""Read the tensors of a PyTorch checkpoint or safetensors file; nothing of the file is run."""

from __future__ import annotations

import pickle
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from analysis.models.errors import ModelError
from analysis.models.inert import StandIn, as_mappings, module_classes, read_inert

MOST_PICKLE = 2**28
"""Bytes of a checkpoint's structure; the tensors lie beside it. Real ones take kilobytes."""


@dataclass(frozen=True)
class Content:
    """What a file holds. classes: the names it would import, where it holds whole objects and not only weights."""

    value: Any
    classes: tuple[str, ...] = ()
    whole: bool = False


def read_checkpoint(path: Path) -> Content:
    """What `torch.save` wrote, tensors on the CPU, objects of classes reduced to their tensors.

    Raises ModelError for damage, and for a file that declares more than it holds.
    """
    if zipfile.is_zipfile(path):
        check_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = _read(path)
    except (MemoryError, RecursionError) as error:
        raise ModelError(
            f"{path.name} asks for more memory than a model of its size needs. Get it from a source that you trust."
        ) from error
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged pickle makes torch's readers say
        raise damaged(path) from error
    _check_sizes(content.value, path, set())
    return content


def _read(path: Path) -> Content:
    try:
        return Content(torch.load(path, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError:
        value, foreign = read_inert(path)
    return Content(as_mappings(value), module_classes(foreign), whole=_holds_module(value))


def _holds_module(value: Any, depth: int = 3) -> bool:
    if isinstance(value, StandIn):
        return "_modules" in value.state
    return depth > 0 and isinstance(value, Mapping) and any(_holds_module(inner, depth - 1) for inner in value.values())


def damaged(path: Path) -> ModelError:
    return ModelError(f"{path.name} is cut short or damaged. Copy or download it again.")


def check_archive(path: Path, compressed: tuple[str, ...] = ()) -> None:
    """Every record of a zip is whole, and none unpacks to more than the file. Raises ModelError.

    torch.save never compresses (TorchScript's `code/` aside, named in `compressed`), and torch does not look at the
    checksums: a flipped bit would load in silence.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
            for record in records:
                inner = record.filename.partition("/")[2]
                if record.compress_type != zipfile.ZIP_STORED and not inner.startswith(compressed or ("\0",)):
                    raise ModelError(
                        f"{path.name} holds compressed records, which PyTorch never writes and which can unpack to any "
                        "size. Save it again with torch.save."
                    )
                if record.file_size > MOST_PICKLE and inner.endswith((".pkl", ".py")):
                    raise ModelError(
                        f"{path.name} describes itself in {record.file_size:,} bytes, which no model needs."
                    )
            if sum(record.file_size for record in records) > max(4 * path.stat().st_size, 2**24):
                raise ModelError(f"{path.name} unpacks to many times its size. Get it from a source that you trust.")
            if archive.testzip() is not None:
                raise damaged(path)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError) as error:
        raise damaged(path) from error


def _check_sizes(value: Any, path: Path, seen: set[int], depth: int = 40) -> None:
    """No tensor may declare more numbers than lie behind it: a stride of 0 makes 2⁴⁰ out of one."""
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise ModelError(
                f"{path.name} declares a tensor larger than what it holds. Get it from a source you trust."
            )
    elif isinstance(value, Mapping | list | tuple) and depth and id(value) not in seen:
        seen.add(id(value))
        for inner in value.values() if isinstance(value, Mapping) else value:
            _check_sizes(inner, path, seen, depth - 1)


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a safetensors file. Raises ModelError for damage."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise damaged(path) from error
