"""Doodles on disk: a class-per-folder set of PNGs, the same files for the same count and seed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from sample_models.doodles.draw import CLASSES, draw


def write_probe(folder: Path, count: int, seed: int, classes: tuple[str, ...] = CLASSES) -> None:
    """Draw `count` images, the classes in turn, as `folder/<class>/<number>.png`.

    The folder appears only when it is whole: images are drawn beside it first.
    """
    if count < 1:
        raise ValueError("A probe needs at least one image.")
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for index in range(count):
        name = classes[index % len(classes)]
        save(draw((seed, index), name)[0], unfinished / name / f"{index:05d}.png")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished.rename(folder)


def save(image: np.ndarray, path: Path) -> None:
    """[H, W, 3] uint8 → a PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
