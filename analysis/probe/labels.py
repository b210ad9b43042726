"""Labels from folder names, as torchvision's ImageFolder gives them, and readable names for the classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
"""Folder names that say which split an image is of, not which class."""

CLASS_FILES = ("classes.txt", "labels.txt")
"""Beside the class folders: readable names for them, see `readable_names`."""


def labels_from_paths(paths: Sequence[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Paths below the source → ([count] int64 or None, class names in sorted order).

    The class of an image is the first folder of its path in which the paths differ; folders named like a split
    are passed over. Images that all lie in one folder, or of which some lie in none, have no labels.
    """
    folders = [[part for part in PurePosixPath(path).parts[:-1] if part.lower() not in SPLITS] for path in paths]
    while folders and all(folders) and len({parts[0] for parts in folders}) == 1:
        folders = [parts[1:] for parts in folders]
    if not folders or not all(folders):
        return None, ()
    classes = tuple(sorted({parts[0] for parts in folders}))
    number = {name: index for index, name in enumerate(classes)}
    return np.array([number[parts[0]] for parts in folders], np.int64), classes


def readable_names(classes: Sequence[str], lines: Sequence[str]) -> tuple[str, ...]:
    """Class names out of the lines of a `classes.txt`.

    Either one line a class, in the order of the class numbers, or lines of "folder name, readable name" (parted
    by a comma, a tab or a space). A class that the file does not name keeps its folder's name.
    """
    lines = [line.strip() for line in lines if line.strip()]
    named: dict[str, str] = {}
    for line in lines:
        folder, _, name = line.replace("\t", " ").replace(",", " ").partition(" ")
        if name.strip():
            named[folder] = name.strip()
    if any(name in named for name in classes):
        return tuple(named.get(name, name) for name in classes)
    return tuple(lines) if len(lines) == len(classes) else tuple(classes)
