"""A sheet of pictures as a build makes them: channels 0 … 11 of four layers, into docs/images/pictures.webp.

python -m benchmarks.sheet [--model FILE] [--images FOLDER] [--layers A,B,C,D]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from analysis import encoding
from analysis.features.files import in_three_colors
from analysis.features.parameters import Parameters
from analysis.features.render import render
from benchmarks.report import write_section
from benchmarks.setting import open_setting, options

TILE = 112
COLUMNS = 12
FILE = Path(__file__).resolve().parents[1] / "docs" / "images" / "pictures.webp"


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--layers", help="names with commas (default: four from first to last)")
    wanted = parser.parse_args()
    setting = open_setting(wanted.model, wanted.images)
    names = [layer.name for layer in setting.model.card.layers if layer.kind == "Conv2d"]
    wide = [name for name in names if max(setting.model.card.layer(name).kernel_size) > 1] or names
    evenly = [wide[round(share * (len(wide) - 1))] for share in (0, 0.3, 0.6)] + [names[-1]]
    layers = wanted.layers.split(",") if wanted.layers else list(dict.fromkeys(evenly))
    tiles: list[np.ndarray] = []
    for layer in layers:
        channels = range(min(COLUMNS, setting.model.card.layer(layer).out_channels))
        baseline = setting.baselines.get(layer)
        made = render(setting.model, layer, channels, setting.prior, Parameters(), baseline=baseline)
        row = [Image.fromarray(in_three_colors(picture)) for picture in made.pictures]
        tiles += [np.asarray(picture.resize((TILE, TILE), Image.Resampling.LANCZOS)) for picture in row]
        tiles += [np.zeros((TILE, TILE, 3), np.uint8)] * (COLUMNS - len(row))
        print(layer, flush=True)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(encoding.to_picture(encoding.sheet(tiles, COLUMNS), quality=85))
    listed = ", ".join(f"`{layer}`" for layer in layers)
    write_section(
        "sheet",
        f"## What they look like\n\n`python -m benchmarks.sheet`: {setting.model.card.name}, channels 0 … 11 of "
        f"{listed}, default parameters.\n\n![Pictures of four layers](images/{FILE.name})",
    )


if __name__ == "__main__":
    main()
