"""One pass over some images of the probe: every conv layer's accumulators fed as the model runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from analysis.models.errors import ModelError
from analysis.models.heads import run_with_heads
from analysis.models.model import Model
from analysis.models.tap import ConvCall
from analysis.probe.probe import Probe
from analysis.statistics.drawn import drawn_images
from analysis.statistics.follow import Follow
from analysis.statistics.layer_state import ROOM, Images, LayerState, Settings
from analysis.statistics.predictions import Answers, answers_of
from analysis.unit import HEAD

PIXELS = 8 * 224 * 224
"""Of all images of a forward pass together. Part of the result in its last digits, so one number for all machines."""


def images_a_pass(model: Model) -> int:
    """How many images go through the model at once."""
    if model.card.one_by_one:
        return 1
    return max(1, min(ROOM, PIXELS // (model.card.input.height * model.card.input.width)))


@dataclass(frozen=True)
class Measured:
    """layers: what was measured of each, and of the logits of each of the model's heads, as maps of one position under
    the head's name; answers: what a classifier said, one whose only output is HEAD."""

    layers: dict[str, LayerState]
    answers: Answers | None


def measure(
    model: Model,
    probe: Probe,
    numbers: Sequence[int],
    layers: Sequence[str],
    follows: Mapping[str, Follow],
    settings: Settings,
    report: Callable[[float], None] = lambda fraction: None,
) -> Measured:
    """What the layers do on the images `numbers` of the probe."""
    states = {layer: LayerState(follows[layer], settings) for layer in layers}
    drawn = set(drawn_images(probe.card.count).tolist())
    answers: list[Answers] = []
    spec = model.card.input
    step = images_a_pass(model)
    for start in range(0, len(numbers), step):
        batch = np.asarray(numbers[start : start + step], np.int64)
        labels = np.full(len(batch), -1, np.int64) if probe.labels is None else probe.labels[batch]
        images = Images(batch, labels, np.array([number in drawn for number in batch.tolist()]))
        heads = _measure_batch(model, probe.batch(batch.tolist(), spec), images, states)
        for head, logits in heads.items():
            if head in layers:
                continue
            states.setdefault(head, LayerState(Follow.nothing(logits.shape[1]), settings))
            states[head].update(logits.detach().float().cpu().numpy(), images)
            if head == HEAD:
                answers.append(answers_of(logits.detach().float().flatten(1), batch, labels))
        report(min(1.0, (start + step) / len(numbers)))
    for state in states.values():
        state.take_in()
    return Measured(states, Answers.join([each.arrays() for each in answers]) if answers else None)


def _measure_batch(
    model: Model, pictures: torch.Tensor, images: Images, states: Mapping[str, LayerState]
) -> dict[str, torch.Tensor]:
    """The heads' logits [n, K, 1, 1]. Each conv's output is read as it appears, before anything can change it in place.

    Layers called several times in a pass are measured over all their calls together.
    """
    several: dict[str, list[np.ndarray]] = {}

    def seen(call: ConvCall) -> bool:
        if call.number >= len(model.calls):
            raise ModelError(
                f"{model.card.name} ran more convolutions than when it was opened. "
                "Nets whose path depends on the image can not be measured; export one path to ONNX."
            )
        layer = model.calls[call.number]
        if layer in states:
            maps = call.output.detach().float().cpu().numpy()
            if model.calls.count(layer) > 1:
                several.setdefault(layer, []).append(maps.reshape(*maps.shape[:2], -1).copy())
            else:
                states[layer].update(maps, images)
        return True

    with torch.no_grad():
        _, heads = run_with_heads(model, pictures, seen)
    for layer, sites in several.items():
        states[layer].update(np.concatenate(sites, axis=2), images)
    return heads
