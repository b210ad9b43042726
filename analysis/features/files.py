"""Pictures and what is known of them as the files of an artifact."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from analysis import encoding
from analysis.features.baseline import Baseline
from analysis.features.climb import DRIVEN, NEVER, Rendered
from analysis.features.parameters import Parameters
from analysis.features.render import lead_of
from analysis.statistics.follow import Follow

TILE = 128
"""Longest side of a picture on the sheet, px."""

COLUMNS = 4


def evidence(
    made: Rendered,
    parameters: Parameters,
    baseline: Baseline | None,
    follow: Follow | None = None,
    real: Tensor | None = None,
) -> pd.DataFrame:
    """One row a picture: what it reaches, and beside it what real images reach.

    `natural` is the activation of the best real image (the least, for negative pictures), `ratio` how far above the
    mean over real images the picture comes, in times of how far that best image does; NaN without a baseline.
    Where something else was asked for than the channel's own number, `real` is what real images reach of that, [N], and
    there is no lead over other channels.
    With `follow`, what comes after the conv, a channel of which neither real images nor its picture bring anything
    through the ReLU is "never active".
    """
    table = pd.DataFrame(
        {
            "channel": list(made.channels),
            "activation": made.activation.double().numpy(),
            "peak": (made.lowest if parameters.negative else made.highest).double().numpy(),
            "steps": made.steps.numpy(),
            "seed": made.seeds.numpy(),
            "deviation": made.deviation.double().numpy(),
            "state": list(made.state),
        }
    )
    table["natural"], table["ratio"], table["lead"] = np.nan, np.nan, np.nan
    if real is not None:
        _compare(table, real.mean(), real.amin() if parameters.negative else real.amax())
    elif baseline is not None:
        own = list(made.channels)
        _compare(table, baseline.mean[own], (baseline.least if parameters.negative else baseline.best)[own])
        table["lead"] = lead_of(made, baseline, parameters.sign).double().numpy()
    if follow is not None and not parameters.negative and parameters.site == "conv":
        silent = _silenced(made, baseline, follow)
        table.loc[silent & (table["state"] == DRIVEN).to_numpy(), "state"] = NEVER
    return table


def _compare(table: pd.DataFrame, mean: Tensor, natural: Tensor) -> None:
    """Enter what real images reach, in the mean and at best: a number a picture, or one for all."""
    mean, natural = mean.double(), natural.double()
    reach = (natural - mean).where(natural != mean, torch.nan)
    table["natural"] = natural.numpy()
    table["ratio"] = (table["activation"] - mean.numpy()) / reach.numpy()


def _silenced(made: Rendered, baseline: Baseline | None, follow: Follow) -> np.ndarray:
    """[N] bool: whose highest value behind the norm is not above zero, where a ReLU of its own follows."""
    own = list(made.channels)
    if not follow.silences or follow.joined:
        return np.zeros(len(own), bool)
    extremes = [(made.highest, made.lowest)]
    if baseline is not None:
        extremes.append((baseline.highest[own], baseline.lowest[own]))
    scale, shift = follow.scale[own], follow.shift[own]
    reached = [np.maximum(scale * high.numpy(), scale * low.numpy()) + shift for high, low in extremes]
    return np.asarray((np.stack(reached) <= 0).all(0))


def sheet_files(made: Rendered, table: pd.DataFrame) -> dict[str, bytes]:
    """Of a `features` artifact: the table, a sheet of tiles, each picture at full size, each plane of inputs that are
    not shown in their own colours."""
    pixels = [in_three_colors(picture) for picture in made.pictures]
    height, width = pixels[0].shape[:2]
    shrink = min(1.0, TILE / max(height, width))
    tile = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    tiles = [np.asarray(Image.fromarray(picture).resize(tile, Image.Resampling.LANCZOS)) for picture in pixels]
    planes = planes_of(made.pictures)
    facts = {"tile": list(tile), "columns": COLUMNS, "width": width, "height": height, "planes": planes}
    files = {
        "features.parquet": encoding.to_parquet(table.assign(tile=range(len(tiles)))),
        "sheet.webp": encoding.to_picture(encoding.sheet(tiles, COLUMNS)),
        "facts.json": encoding.to_json(facts),
    }
    for channel, picture, shown in zip(made.channels, made.pictures, pixels, strict=True):
        files |= picture_files(f"{channel:05d}", picture, shown)
    return files


def picture_files(name: str, picture: Tensor, shown: np.ndarray) -> dict[str, bytes]:
    """`<name>.webp`, and `<name>-planes.webp`: the planes side by side, where they are not the colours shown."""
    files = {f"{name}.webp": encoding.to_picture(shown, quality=90)}
    if planes_of(picture[None]):
        files[f"{name}-planes.webp"] = encoding.to_picture(encoding.to_pixels(beside(picture)), quality=90)
    return files


def planes_of(pictures: Tensor) -> int:
    """How many planes are shown one by one: none of grey and RGB pictures."""
    return 0 if pictures.shape[1] in (1, 3) else pictures.shape[1]


def beside(picture: Tensor) -> np.ndarray:
    """[C, H, W] → [1, H, C·W]: its planes from left to right."""
    return np.concatenate(list(picture.numpy()), axis=1)[None]


def in_three_colors(picture: Tensor) -> np.ndarray:
    """As `encoding.in_three_colors`, of a picture that is still a tensor."""
    return encoding.in_three_colors(picture.numpy())
