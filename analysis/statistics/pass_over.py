"""One pass over some images of the probe: every conv layer's accumulators fed as the model runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from analysis.models.capture import visit
from analysis.models.model import Model
from analysis.probe.probe import Probe
from analysis.statistics.drawn import drawn_images
from analysis.statistics.follow import Follow
from analysis.statistics.layer_state import Images, LayerState, Settings

BATCH = 8
"""Images a forward pass. Part of the result in its last digits, so one number for all machines."""


def measure(
    model: Model,
    probe: Probe,
    numbers: Sequence[int],
    layers: Sequence[str],
    follows: Mapping[str, Follow],
    settings: Settings,
    report: Callable[[float], None] = lambda fraction: None,
) -> dict[str, LayerState]:
    """Layer → what was measured of it on the images `numbers` of the probe."""
    states = {layer: LayerState(follows[layer], settings) for layer in layers}
    drawn = set(drawn_images(probe.card.count).tolist())
    step = 1 if model.card.one_by_one else BATCH
    for start in range(0, len(numbers), step):
        batch = np.asarray(numbers[start : start + step], np.int64)
        labels = np.full(len(batch), -1, np.int64) if probe.labels is None else probe.labels[batch]
        images = Images(batch, labels, np.array([number in drawn for number in batch.tolist()]))
        _measure_batch(model, probe.batch(batch.tolist(), model.card.input), images, states)
        report(min(1.0, (start + step) / len(numbers)))
    return states


def _measure_batch(
    model: Model,
    pictures: torch.Tensor,
    images: Images,
    states: Mapping[str, LayerState],
) -> None:
    """Layers called several times in a pass are measured over all their calls together."""
    several: dict[str, list[np.ndarray]] = {}

    def visitor(layer: str, site: int, output: torch.Tensor) -> None:
        maps = output.detach().float().cpu().numpy()
        if model.card.layer(layer).sites > 1:
            several.setdefault(layer, []).append(maps.reshape(*maps.shape[:2], -1).copy())
        else:
            states[layer].update(maps, images)

    visit(model, pictures, list(states), visitor)
    for layer, sites in several.items():
        states[layer].update(np.concatenate(sites, axis=2), images)
