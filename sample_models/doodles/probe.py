"""Doodles on disk: a class-per-folder set of PNGs, the same files for the same count and seed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from sample_models.doodles.draw import CLASSES, draw_with_silhouette

Finish = Callable[[np.ndarray, np.ndarray, str, int], np.ndarray]
"""(image, silhouette, class, index) → what is saved: [H, W], [H, W, 3] or [H, W, 4] uint8."""


def write_probe(
    folder: Path,
    count: int,
    seed: int,
    classes: tuple[str, ...] = CLASSES,
    finish: Finish = lambda image, silhouette, name, index: image,
) -> None:
    """Draw `count` images, the classes in turn, as `folder/<class>/<number>.png`.

    The folder must be new or empty and appears only when it is whole: images are drawn beside it first.
    """
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for index in range(count):
        name = classes[index % len(classes)]
        image, silhouette, _ = draw_with_silhouette((seed, index), name)
        path = unfinished / name / f"{index:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(finish(image, silhouette, name, index)).save(path)
    if folder.exists():
        folder.rmdir()
    unfinished.rename(folder)
