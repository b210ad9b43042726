"""Sheets of pictures as a build makes them, Lucent's of the same channels beside them, into docs/images/.

    python -m benchmarks.sheet [--model FILE] [--images FOLDER]

By default of three nets: SqueezeNet, the CIFAR ResNet-20, the sample.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from analysis import encoding
from analysis.features.files import in_three_colors
from analysis.features.parameters import Parameters
from analysis.features.render import render
from analysis.unit import HEAD
from benchmarks.lucent import Lucent
from benchmarks.recognition import CIFAR, LUCENT_CHANNELS, NETS, evenly
from benchmarks.report import write_section
from benchmarks.setting import SAMPLES, SQUEEZENET, Setting, open_setting, options
from sample_models.catalog import AS_IMAGENET, draw_probe

TILE = 96
GAP = 16
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"


def layers_of(setting: Setting) -> list[str]:
    """Four from first to last, the last being the classes."""
    wide = [layer.name for layer in setting.model.card.layers if max(layer.kernel_size) > 1]
    return list(dict.fromkeys([*(wide[round(share * (len(wide) - 1))] for share in (0, 0.4, 0.8)), HEAD]))


def sheet_of(setting: Setting, head: str) -> np.ndarray:
    """[H, W, 3] pixels: a row a layer, Strata's pictures at the left, Lucent's at the right. head: Lucent's name for
    what makes the classes."""
    rows = []
    small = setting.model.card.input.height if setting.model.card.input.height < 64 else None
    with Lucent(setting.file) as lucent:
        for layer in layers_of(setting):
            baseline = setting.baselines[layer]
            channels = evenly(baseline, LUCENT_CHANNELS)
            made = render(setting.model, layer, channels, setting.prior, Parameters(), baseline=baseline)
            ours = [in_three_colors(picture) for picture in made.pictures]
            named = head if layer == HEAD else layer
            theirs = [
                encoding.to_pixels(lucent.picture(named, channel, size=small).transpose(2, 0, 1))
                for channel in channels
            ]
            tiles = [[_tile(picture) for picture in side] for side in (ours, theirs)]
            gap = np.full((TILE, GAP, 3), 255, np.uint8)
            rows.append(np.concatenate([*tiles[0], gap, *tiles[1]], 1))
            print(setting.model.card.name, layer, flush=True)
    return np.concatenate(rows)


def _tile(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((TILE, TILE), Image.Resampling.LANCZOS))


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    wanted = parser.parse_args()
    if wanted.model:
        nets = [(open_setting(wanted.model, wanted.images), HEAD)]
    else:
        doodles = FOLDER.parents[1] / "out" / "doodles"
        if not doodles.exists():
            draw_probe(doodles, "doodles")
        sample = open_setting(SAMPLES / "weights" / "doodles.pt", str(doodles), input_spec=AS_IMAGENET)
        nets = [(sample, "linear")]
        if CIFAR.exists():
            nets.insert(0, (open_setting(NETS["ResNet-20"], str(CIFAR), count=1000), "linear"))
        if SQUEEZENET.exists():
            nets.insert(0, (open_setting(SQUEEZENET, None), "classifier_1"))
    body = [
        "## What they look like\n\n`python -m benchmarks.sheet`: the same channels, evenly spaced; at the left Strata "
        "by default parameters, at the right Lucent 0.1.8 by its defaults (512 steps)."
    ]
    FOLDER.mkdir(exist_ok=True)
    for setting, head in nets:
        name = setting.model.card.name
        file = FOLDER / f"pictures-{name}.webp"
        file.write_bytes(encoding.to_picture(sheet_of(setting, head), quality=85))
        listed = ", ".join(f"`{layer}`" for layer in layers_of(setting))
        body.append(f"{name}, {listed}:\n\n![Strata's pictures of {name} beside Lucent's](images/{file.name})")
        # each net, so that a run that is stopped has not been for nothing
        write_section("sheet", "\n\n".join(body))


if __name__ == "__main__":
    main()
