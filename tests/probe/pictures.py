"""Folders of small generated pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (20, 24), channels: int = 3) -> np.ndarray:
    """[H, W, channels] uint8: smooth colours and a bright square, each seed another."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (4, 4, channels)).astype(np.uint8)
    planes = [np.asarray(Image.fromarray(coarse[..., c]).resize(size[::-1])) for c in range(channels)]
    pixels = np.stack(planes, axis=2)
    y, x = random.integers(0, size[0] - 4), random.integers(0, size[1] - 4)
    pixels[y : y + 4, x : x + 4] = random.integers(0, 255, channels)
    return pixels


def write_pictures(root: Path, count: int, classes: int = 0) -> Path:
    """`count` PNG files below `root`, in `classes` folders where that is not 0."""
    for number in range(count):
        folder = root / f"class-{number % classes}" if classes else root
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(folder / f"{number:03d}.png")
    return root
