"""Where a model's file, or a set of images, is: `upload/<id>`, `server/<name>`, `sample/<name>`, `library/<id>`."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.errors import StrataError
from analysis.probe.picture import is_image_name
from dashboard.library import library
from dashboard.opening.allowed import resolve
from dashboard.opening.streams import brought
from sample_models.catalog import SAMPLES, draw_probe


@dataclass(frozen=True)
class ModelFile:
    """A file to open. options: what `open_model` must be told that neither the file nor a person says."""

    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)


def model_file(source: str) -> ModelFile:
    """The file behind a source. Raises StrataError for one that is not there."""
    kind, _, name = source.partition("/")
    match kind:
        case "upload":
            return ModelFile(brought("models", name))
        case "server":
            return ModelFile(resolve(name, "models"))
        case "sample" if name in SAMPLES:
            return ModelFile(SAMPLES[name].file, {"input_spec": dict(SAMPLES[name].input)})
        case "library":
            card, path = library().model(name)
            return ModelFile(path, card.options)
    raise StrataError(f"The address names no model file: “{source}”. Choose one on this page.")


def image_set(source: str) -> Path | None:
    """The folder or archive behind a source; None for “no images”. A sample's are drawn where they are not there yet.

    Raises StrataError for one that is not there.
    """
    kind, _, name = source.partition("/")
    match kind:
        case "" | "none":
            return None
        case "upload":
            return brought("images", name)
        case "server":
            return resolve(name, "images")
        case "sample" if name in SAMPLES:
            folder = library().desk / "samples" / name
            if not folder.exists():
                draw_probe(folder, name)
            return folder
    raise StrataError(f"The address names no images: “{source}”. Choose some on this page.")


def count_images(path: Path, most: int = 1_000_000) -> int | None:
    """How many images a folder or a tar holds, by their names; None for what would have to be read to know."""
    if path.is_dir():
        names = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        return sum(is_image_name(name) for name, _ in zip(names, range(most), strict=False))
    try:
        with tarfile.open(path) as archive:
            return sum(member.isfile() and is_image_name(member.name) for member in archive)
    except (tarfile.TarError, OSError):
        return None
