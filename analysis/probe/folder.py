"""A folder of image files, searched to the bottom; one folder a class gives labels."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from analysis.probe.errors import ProbeError
from analysis.probe.labels import CLASS_FILES, labels_from_paths, readable_names
from analysis.probe.picture import decode_bytes, is_image_name
from analysis.probe.source import Source


def open_folder(root: Path) -> Source:
    """Every file below `root` that is named like an image, in the order of their paths; hidden ones are passed over."""
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
    return _source_of_files(root, paths, labels, classes)


def open_image(path: Path) -> Source:
    """A single image file: a probe of one."""
    return _source_of_files(path.parent, [path.name], None, ())


def _source_of_files(root: Path, paths: list[str], labels: np.ndarray | None, classes: tuple[str, ...]) -> Source:
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
            path = Path(folder, name).relative_to(root).as_posix()
            if is_image_name(path):
                found.append(path)
    return found
