"""What a layer makes of single places in real images: a vector of all its channels each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analysis.models.heads import run_with_heads
from analysis.models.model import Model
from analysis.models.tap import ConvCall
from analysis.probe.probe import Probe
from analysis.statistics.follow import Follow

MOST_AN_IMAGE = 16
BORDER = 1
"""Rows and columns left out at each end of a map that is at least five wide: what is seen there is padding too."""
BATCH = 16


@dataclass(frozen=True)
class Positions:
    """image, y, x : [n] int64, the image and the place on the layer's map
    vectors        : [n, K] float32 at the conv's own output
    images, scores : [m] the images that were looked at, [m, classes] what the model's head answered; no columns
                     where it has no single head
    """

    image: np.ndarray
    y: np.ndarray
    x: np.ndarray
    vectors: np.ndarray
    images: np.ndarray
    scores: np.ndarray


def read_positions(
    model: Model,
    probe: Probe,
    layer: str,
    most: int,
    seed: int = 0,
    report: Callable[[float], None] = lambda fraction: None,
) -> Positions:
    """About `most` positions, evenly over the images and at random in each. The same for every layer whose map has
    the same size, and for every model of the same input."""
    count = probe.card.count
    images = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
    each = min(MOST_AN_IMAGE, -(-most // len(images)))
    read: list[np.ndarray] = []
    places: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    one_head = next(iter(model.card.heads)) if len(model.card.heads) == 1 else None
    for start in range(0, len(images), 1 if model.card.one_by_one else BATCH):
        part = images[start : start + (1 if model.card.one_by_one else BATCH)]
        maps, heads = _run(model, probe.batch(part.tolist(), model.card.input), layer)
        for number, own in zip(part, maps, strict=True):
            y, x = drawn_places(own.shape[-2:], each, np.random.default_rng((seed, int(number))))
            read.append(own[:, y, x].T.cpu().numpy())
            places.append(np.stack([np.full(len(y), number), y, x], axis=1))
        if one_head in heads:
            scores.append(heads[one_head].flatten(1).cpu().numpy())
        report(min(1.0, (start + BATCH) / len(images)))
    image, y, x = np.concatenate(places).T
    vectors = np.concatenate(read).astype(np.float32)
    whole = np.isfinite(vectors).all(axis=1)
    answered = np.concatenate(scores) if scores else np.zeros((len(images), 0), np.float32)
    return Positions(image[whole], y[whole], x[whole], vectors[whole], images, answered)


def _run(model: Model, pictures: Tensor, layer: str) -> tuple[Tensor, dict[str, Tensor]]:
    """The layer's maps [B, K, h, w] and the heads' logits from one forward pass. Of a shared layer the first call's."""
    found: list[Tensor] = []

    def keep(call: ConvCall) -> bool:
        if not found and model.calls[call.number] == layer:
            found.append(call.output.clone())
        return True

    with torch.no_grad():
        _, heads = run_with_heads(model, pictures, keep)
    return found[0], heads


def drawn_places(size: tuple[int, ...], count: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """At most `count` different places (rows, columns) of a map of (height, width), its border left out."""
    height, width = size
    border = BORDER if min(height, width) >= 5 else 0
    inner = height - 2 * border, width - 2 * border
    chosen = chance.permutation(inner[0] * inner[1])[:count]
    y, x = np.divmod(chosen, inner[1])
    return y + border, x + border


def passed_on(vectors: np.ndarray, follow: Follow) -> np.ndarray:
    """[n, K] at the conv's own output → what the next layer gets of it: after its norm and activation."""
    if follow.function is not None and not follow.joined:
        return follow.after(vectors[:, :, None])[:, :, 0]
    return np.clip(vectors * follow.scale + follow.shift, *follow.bounds).astype(np.float32)
