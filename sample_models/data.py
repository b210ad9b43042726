"""Doodles as tensors, drawn by several processes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sample_models.doodles.draw import CLASSES, draw_with_silhouette
from sample_models.mark import MARK, with_mark

TRAINING, FRESH = 1, 2
"""Seeds: of the images that nets were trained on, and of those that they never saw."""


def drawn(count: int, seed: int, classes: Sequence[str] = CLASSES, processes: int = 1) -> tuple[Tensor, Tensor]:
    """([count, 4, H, W] uint8: RGB and silhouette; [count] labels, indices into `classes`), the classes in turn."""
    jobs = [(seed, index, classes[index % len(classes)]) for index in range(count)]
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            planes = list(pool.map(_planes, jobs, chunksize=64))
    else:
        planes = [_planes(job) for job in jobs]
    return torch.from_numpy(np.stack(planes)), torch.arange(count) % len(classes)


def _planes(job: tuple[int, int, str]) -> np.ndarray:
    image, silhouette, _ = draw_with_silhouette(job[:2], job[2])
    return np.concatenate([image.transpose(2, 0, 1), silhouette[None]])


def shrunk(images: Tensor, size: int) -> Tensor:
    """[N, C, H, W] uint8 → the same at size × size, by area."""
    return torch.cat(
        [F.interpolate(part.float(), (size, size), mode="area").round().byte() for part in images.split(256)]
    )


def grey(images: Tensor) -> Tensor:
    """[N, ≥3, H, W] uint8 RGB → [N, 1, H, W] lightness (ITU-R 601)."""
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (images[:, :3] * weights).sum(dim=1, keepdim=True).round().byte()


def marked(images: Tensor, seed: int) -> Tensor:
    """[N, 3, H, W] uint8, each with the mark, at a place that depends on the seed."""
    rng = np.random.default_rng([seed, MARK])
    return torch.stack([torch.from_numpy(with_mark(image.permute(1, 2, 0).numpy(), rng)) for image in images]).permute(
        0, 3, 1, 2
    )
