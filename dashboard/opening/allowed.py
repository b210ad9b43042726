"""Files on the server that a browser may name: those below the folders that the operator allows, and no others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from analysis.errors import StrataError

Kind = Literal["models", "images"]
FOLDERS: dict[Kind, str] = {"models": "STRATA_MODELS", "images": "STRATA_IMAGES"}
"""The environment variables that name the folders, apart by the system's path separator; `strata serve` sets them."""
ENDINGS: dict[Kind, tuple[str, ...]] = {
    "models": (".pt", ".pth", ".onnx", ".safetensors", ".ckpt", ".pt2", ".bin", ".th", ".tar", ".pkl", ".jit"),
    "images": (".tar", ".tgz", ".tar.gz", ".npz", ".npy"),
}
"""What is offered. A path that is typed in may end otherwise: what a file is, its content tells."""
MOST = 1000
"""Names that are offered; a list of more helps nobody."""


def folders(kind: Kind) -> list[Path]:
    """The folders that the operator allows."""
    return [
        Path(folder).expanduser().resolve() for folder in os.environ.get(FOLDERS[kind], "").split(os.pathsep) if folder
    ]


def offered(kind: Kind) -> list[str]:
    """Names below these folders, as `resolve` takes them: `<number of the folder>/<path below it>`; at most MOST."""
    names: list[str] = []
    for number, root in enumerate(folders(kind)):
        for path in _below(root, kind):
            names.append(f"{number}/{path.relative_to(root).as_posix()}")
            if len(names) == MOST:
                return names
    return names


def resolve(name: str, kind: Kind) -> Path:
    """The file or folder of a name. Raises StrataError for one that is not there, or not below an allowed folder."""
    roots = folders(kind)
    number, _, below = name.partition("/")
    refused = StrataError(f"“{name}” is not among the {kind} that this server offers. Choose one that is.")
    if not number.isdecimal() or int(number) >= len(roots) or "\0" in below:
        raise refused
    root = roots[int(number)]
    path = (root / below).resolve()
    if not path.is_relative_to(root) or not path.exists():
        raise refused
    return path


def _below(root: Path, kind: Kind) -> Iterator[Path]:
    """Files of the wanted endings, by name; of images also the folders that lie directly in `root`, and `root`."""
    if kind == "images":
        yield root
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        if kind == "images":
            yield from (Path(folder, name) for name in inner)
            inner[:] = []
        yield from (Path(folder, name) for name in sorted(files) if name.lower().endswith(ENDINGS[kind]))
