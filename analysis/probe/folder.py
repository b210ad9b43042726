"""A folder of image files, searched to the bottom; one folder a class gives labels."""

from __future__ import annotations

import os
from pathlib import Path

from analysis.probe.errors import ProbeError
from analysis.probe.labels import labels_from_paths, readable_names
from analysis.probe.picture import ARRAY_SUFFIXES, PICTURE_SUFFIXES, decode_bytes
from analysis.probe.source import Source

CLASS_FILES = ("classes.txt", "labels.txt")


def open_folder(root: Path) -> Source:
    """Every file below `root` that is named like an image, in the order of their paths. Links are not followed out."""
    paths = sorted(_image_files(root))
    if not paths:
        raise ProbeError(
            f"The folder {root} holds no images. Give one with image files in it (JPEG, PNG, TIFF, WebP, .npy …), "
            "in any depth of folders."
        )
    labels, classes = labels_from_paths(paths)
    for name in CLASS_FILES:
        if classes and (root / name).is_file():
            classes = readable_names(classes, (root / name).read_text("utf-8", "replace").splitlines())
            break
    return Source(
        names=tuple(paths),
        labels=labels,
        classes=classes,
        content=lambda index: (root / paths[index]).read_bytes(),
        decode=lambda index: decode_bytes((root / paths[index]).read_bytes(), paths[index]),
    )


def _image_files(root: Path) -> list[str]:
    found = []
    for folder, _, files in os.walk(root):
        for name in files:
            path = Path(folder, name)
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not hidden and path.suffix.lower() in PICTURE_SUFFIXES | ARRAY_SUFFIXES:
                found.append(path.relative_to(root).as_posix())
    return found
