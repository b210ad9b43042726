"""One image through a model: what it answers, and how strongly and where each channel does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from analysis.features.baseline import FLAT
from analysis.looking.heat import let_through
from analysis.models.heads import heads_of, run_with_heads
from analysis.models.model import Model
from analysis.models.tap import ConvCall
from analysis.statistics.follow import Follow
from analysis.statistics.following import follows_of

TOP_CLASSES = 5
TOP_CHANNELS = 12
"""Channels a layer that are shown, of those that answer most."""


@dataclass(frozen=True)
class Answer:
    """One class of a head. share: of all classes together (softmax), or by itself where the net ends in a sigmoid."""

    number: int
    logit: float
    share: float


@dataclass(frozen=True)
class Response:
    """Of one layer on one image.

    peaks   : [C] the greatest value of each channel's map at the conv's own output, as statistics measure it
    through : [C, h, w] its maps after the norm and activation that follow; of a layer called several times, the first
    silent  : [C] whether nothing of a channel comes through the ReLU that follows
    """

    peaks: Tensor
    through: Tensor
    silent: Tensor


@dataclass(frozen=True)
class Seen:
    """What a model did with one image: its heads' best classes, and the response of every two-dimensional layer."""

    heads: dict[str, list[Answer]]
    layers: dict[str, Response]


@dataclass(frozen=True)
class Strong:
    """A channel that answers strongly. z: deviations above its mean peak over the probe; None where that is not known.

    peak, high : the greatest value of its map, at the conv's own output and after the activation
    mean       : the mean of its map after the activation
    """

    channel: int
    z: float | None
    peak: float
    high: float
    mean: float


def look(model: Model, image: Tensor) -> Seen:
    """image [1, C, H, W] in [0, 1] → what the model did with it, in one forward pass."""
    follows = follows_of(model)
    layers: dict[str, Response] = {}
    flat = {layer.name for layer in model.card.layers if layer.kind.endswith("2d")}

    def seen(call: ConvCall) -> bool:
        name = model.calls[call.number]
        if name in flat:
            maps = call.output.float().cpu()
            peaks = maps[0].flatten(1).amax(1)
            if name in layers:
                layers[name] = replace(layers[name], peaks=torch.maximum(layers[name].peaks, peaks))
            else:
                layers[name] = _response(maps, peaks, follows[name])
        return True

    with torch.no_grad():
        output, logits = run_with_heads(model, image, seen)
    shares = heads_of(output)
    heads = {
        name: _best(each[0, :, 0, 0].float().cpu(), shares[name][0].float().cpu()) for name, each in logits.items()
    }
    return Seen(heads, layers)


def _response(maps: Tensor, peaks: Tensor, follow: Follow) -> Response:
    through = let_through(maps, follow)[0]
    shut = follow.silences and not follow.joined
    silent = through.flatten(1).amax(1) <= 0 if shut else torch.zeros(len(peaks), dtype=torch.bool)
    return Response(peaks.clone(), through.clone(), silent)


def _best(logits: Tensor, returned: Tensor) -> list[Answer]:
    """The classes of the greatest logits. What a net returned is taken for shares where it looks like them."""
    as_shares = bool((returned >= 0).all() and (returned <= 1).all())
    squashed = not torch.equal(returned, logits) or bool((returned.sum() - 1).abs() < 1e-3)
    shares = returned if as_shares and squashed else logits.softmax(0)
    best = logits.nan_to_num(-torch.inf).argsort(descending=True, stable=True)[:TOP_CLASSES]
    return [Answer(int(number), float(logits[number]), float(shares[number])) for number in best]


def strongest(
    response: Response, statistics: pd.DataFrame | None, count: int = TOP_CHANNELS, *, pooled: bool = False
) -> list[Strong]:
    """The channels that answer an image most, first the most.

    By z = (peak − mean) ÷ deviation of the channel's peaks over the probe's images where `statistics` has them; else by
    the greatest value after the activation, or if `pooled` by the mean, of which a pooling head makes its answer.
    Channels of which nothing comes through are left out.
    """
    peaks, maps = response.peaks.double().numpy(), response.through.flatten(1).double()
    high, mean = maps.amax(1).numpy(), maps.mean(1).numpy()
    known = response.silent.logical_not().numpy() & np.isfinite(peaks)
    z = None if statistics is None else _standard(peaks, statistics)
    order_by = mean if pooled else high if z is None else z
    known &= np.isfinite(order_by)
    channels = np.flatnonzero(known)
    best = channels[np.argsort(-order_by[channels], kind="stable")][:count]
    return [
        Strong(int(c), None if z is None else float(z[c]), float(peaks[c]), float(high[c]), float(mean[c]))
        for c in best
    ]


def _standard(peaks: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    """[C] deviations above the mean; NaN for a channel that was not measured, or does not vary."""
    table = statistics.set_index("channel").reindex(range(len(peaks)))
    mean, deviation = (table[name].to_numpy(np.float64) for name in ("peak_mean", "peak_std"))
    varies = deviation > FLAT * np.nanmax(deviation, initial=0.0)
    return np.divide(peaks - mean, deviation, out=np.full(len(peaks), np.nan), where=varies)
