"""How long an atlas will take: from the net's arithmetic, set right by what earlier builds here took."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from statistics import median

from analysis.jobs.table import Job
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard

PACE = 38e9
"""Multiplications a second of one core, as SqueezeNet and the ResNets reach them (docs/benchmarks.md)."""
AN_IMAGE = 0.014
"""Seconds an image costs besides: decoding it, counting."""
PASSES = 2
"""Over the images: one that measures, one for the heat maps of exemplars."""
A_STEP = 0.001
"""Seconds a step of a picture costs besides."""
STEPS = 46
"""Steps of a picture, mostly (docs/benchmarks.md)."""
BACKWARD = 3
"""A forward and a backward pass, in forward passes."""
START = 12.0
"""Seconds until the images are listed and the workers have opened the model."""
SIDES = (48, 128)
"""Least and greatest side of a picture, px, of a net that takes any size."""


def seconds(
    card: ModelCard, images: int, layers: Collection[str], channels: int | None, pictures: bool, workers: int
) -> float | None:
    """An estimate; None where the maps' sizes are not known.

    images   : measured, 0 for none
    channels : of each layer, None for all
    """
    if any(layer.output_size is None for layer in card.layers):
        return None
    sums = _work_up_to(card.layers)
    total = images * (AN_IMAGE + PASSES * sums[-1] / PACE)
    for layer, work in zip(card.layers, sums, strict=True):
        if pictures and layer.name in layers:
            count = min(channels or layer.out_channels, layer.out_channels)
            total += count * STEPS * (A_STEP + BACKWARD * work * _shrunk(card, layer) / PACE)
    return START + total / max(1, workers)


def pace_here(newest_first: Sequence[Job], cards: dict[str, ModelCard], images: dict[str, int], workers: int) -> float:
    """What earlier builds took ÷ what was estimated of them, the median; 1 where there are none.

    images : job id → images that it measured
    """
    ratios = []
    for job in newest_first:
        card = cards.get(str(job.request.get("model")))
        if job.kind != "build" or job.state != "done" or card is None or not (job.started and job.finished):
            continue
        took = (datetime.fromisoformat(job.finished) - datetime.fromisoformat(job.started)).total_seconds()
        asked = job.request.get("layers") or [layer.name for layer in card.layers]
        channels = job.request.get("channels")
        about = seconds(
            card,
            images.get(job.id, 0),
            asked,
            None if channels is None else len(channels),
            "features" in job.request.get("techniques", {}),
            workers,
        )
        if about and took > 2 * START:
            ratios.append(took / about)
    return median(ratios[:5]) if ratios else 1.0


def _work_up_to(layers: Sequence[ConvLayer]) -> list[float]:
    """Multiplications of one image from the input up to each layer, it included."""
    sums, total = [], 0.0
    for layer in layers:
        positions = math.prod(layer.output_size or (0,))
        total += positions * layer.out_channels * layer.in_channels / layer.groups * math.prod(layer.kernel_size)
        sums.append(total)
    return sums


def _shrunk(card: ModelCard, layer: ConvLayer) -> float:
    """Pixels of a picture ÷ pixels of the input."""
    short = min(card.input.height, card.input.width)
    if not card.input.any_size or not layer.receptive_field:
        return 1.0
    side = min(max(1.5 * min(short, max(layer.receptive_field)), SIDES[0]), SIDES[1], short)
    return (side / short) ** 2
