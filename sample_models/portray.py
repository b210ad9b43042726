"""Make the small pictures that stand for the samples: what a few channels of each look for, first layer to last.

`python -m sample_models.portray [NAME …]`
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from analysis import encoding
from analysis.features.parameters import Parameters
from analysis.features.prior import Prior, prior_of, prior_without_images
from analysis.features.prior_technique import some_of
from analysis.features.render import render
from analysis.models.model import Model
from analysis.models.open import open_model
from analysis.probe.open import open_probe
from sample_models.catalog import SAMPLES, Sample, draw_probe

TILES, SIDE = 5, 128
TRIED = 8
"""Channels of a layer of which the one with the strongest contrasts is taken."""
IMAGES = 96


def portray(sample: Sample) -> bytes:
    """TILES pictures in a row, SIDE px each, as a WebP file."""
    model = open_model(sample.file, input_spec=sample.input)
    prior = _prior(sample, model)
    wide = [layer for layer in model.card.layers if max(layer.kernel_size) > 1]
    chosen = [wide[round(place)] for place in np.linspace(0, len(wide) - 1, TILES)]
    tiles = [_best(model, layer.name, layer.out_channels, prior) for layer in chosen]
    return encoding.to_picture(encoding.sheet(tiles, TILES))


def _prior(sample: Sample, model: Model) -> Prior:
    spec = model.card.input
    if sample.finish is None:
        return prior_without_images(spec.channels, spec.height, spec.width)
    with tempfile.TemporaryDirectory() as folder:
        draw_probe(Path(folder) / "probe", sample.name, IMAGES)
        return prior_of(some_of(open_probe(f"{folder}/probe"), spec))


def _best(model: Model, layer: str, count: int, prior: Prior) -> np.ndarray:
    """[SIDE, SIDE, 3] uint8."""
    channels = sorted({round(place) for place in np.linspace(0, count - 1, TRIED)})
    pictures = render(model, layer, channels, prior, Parameters(retries=0)).pictures
    contrast = torch.nan_to_num(pictures).std((2, 3)).mean(1)
    picture = pictures[int(contrast.argmax())].float().cpu().numpy()
    pixels = encoding.to_pixels(picture[:3] if len(picture) > 3 else picture)
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SAMPLES))
    for name in options.parse_args().names or SAMPLES:
        sample = SAMPLES[name]
        sample.picture.parent.mkdir(exist_ok=True)
        sample.picture.write_bytes(portray(sample))
        print(f"  {name}: {sample.picture.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
