"""From edges to objects, as figures: how fine and how colourful each layer's pictures are, and how much it sees."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.layers import latest_request, made_by_now, seen_share
from dashboard.library import layers_with_something
from dashboard.pictures import spread

SAMPLE = 16
"""Pictures of a layer that are looked at, evenly over its channels."""
DRIVEN = "driven"


@dataclass(frozen=True)
class Rung:
    """One layer. field: share of the input's width that it sees, NaN where that is not known.

    waves  : mean spatial frequency of its pictures, cycles across the input's width, the median over its channels
    colour : share of its pictures' variance that is colour and not lightness, the median over its channels
    """

    layer: str
    field: float
    waves: float
    colour: float


def hierarchy_of(atlas: Atlas, twin: bool = False) -> tuple[Rung, ...]:
    """The layers that have pictures, first to last; of the random twin's pictures if asked for."""
    rungs = (_rung(atlas, layer, twin, made_by_now(atlas, layer.name)) for layer in layers_with_something(atlas))
    return tuple(rung for rung in rungs if rung is not None)


def request_for_twin(atlas: Atlas) -> dict[str, Any] | None:
    """The build that draws the random twin's pictures, those that are not there yet; None where all are, and where no
    build told what it was asked."""
    request, planned = latest_request(atlas), atlas.tasks("twins")
    if request is None or "features" not in request["techniques"]:
        return None
    if planned and all(map(atlas.artifacts.has, planned)):
        return None
    return {**request, "layers": None, "channels": None, "techniques": {"twins": {}}}


@lru_cache(maxsize=4096)
def _rung(atlas: Atlas, layer: ConvLayer, twin: bool, _made_by_now: tuple[str, ...]) -> Rung | None:
    files = _pictures(atlas, atlas.twins(layer.name) if twin else atlas.features(layer.name))
    if not files:
        return None
    waves, colour = _figures(files)
    share = seen_share(atlas, layer)
    return Rung(layer.name, float("nan") if share is None else share, waves * atlas.model.input.width, colour)


def _pictures(atlas: Atlas, table: pd.DataFrame | None) -> tuple[Path, ...]:
    """Files of some of a layer's pictures, of channels that something drives."""
    if table is None:
        return ()
    driven = table[table["state"] == DRIVEN]
    rows = driven.iloc[spread(range(len(driven)), SAMPLE)]
    places = zip(rows["folder"], rows["channel"], strict=True)
    return tuple(atlas.path(f"{folder}/{channel:05d}.webp") for folder, channel in places)


@lru_cache(maxsize=1024)
def _figures(files: tuple[Path, ...]) -> tuple[float, float]:
    """Medians over the pictures: cycles a px, share of colour."""
    pictures = (Image.open(io.BytesIO(file.read_bytes())).convert("RGB") for file in files)
    measured = [measure(np.asarray(picture, np.float64) / 255) for picture in pictures]
    waves, colour = np.median(np.array(measured), axis=0)
    return float(waves), float(colour)


def measure(picture: np.ndarray) -> tuple[float, float]:
    """[H, W, 3] in [0, 1] → mean spatial frequency of its lightness, cycles a px; share of its variance that is colour.

    The frequency is the mean of |f| over the power spectrum under a Hann window, so that borders are no edges.
    Lightness is the mean of the three channels, colour what is left. 0 and 0 for a picture of one colour.
    """
    light = picture.mean(axis=2)
    apart = picture - picture.mean(axis=(0, 1))
    total, bright = (apart**2).mean(), ((light - light.mean()) ** 2).mean()
    if total < 1e-12:
        return 0.0, 0.0
    window = np.hanning(light.shape[0])[:, None] * np.hanning(light.shape[1])[None]
    centred = light - (light * window).sum() / window.sum()
    power = np.abs(np.fft.rfft2(centred * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(light.shape[0])[:, None], np.fft.rfftfreq(light.shape[1])[None])
    waves = float((power * radius).sum() / power.sum()) if power.sum() > 0 else 0.0
    return waves, float(max(0.0, 1 - bright / total))
