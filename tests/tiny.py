"""A net and images small enough to build a whole atlas of in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def tiny_onnx(file: Path, seed: int = 0) -> Path:
    """Two conv layers (8 and 12 channels) over 3×32×32, random weights, as an ONNX file."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5),
    )  # fmt: skip
    torch.onnx.export(net.eval(), (torch.zeros(1, 3, 32, 32),), str(file), dynamo=False, opset_version=17)
    return file


def tiny_images(folder: Path, count: int = 20, seed: int = 0) -> Path:
    """Smooth random images in two class folders."""
    random = np.random.default_rng(seed)
    for index in range(count):
        small = random.integers(0, 256, (5, 5, 3), dtype=np.uint8)
        path = folder / ("even" if index % 2 == 0 else "odd") / f"{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(small).resize((40, 40), Image.Resampling.BICUBIC).save(path)
    return folder
