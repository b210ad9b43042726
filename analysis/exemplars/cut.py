"""Chosen exemplars → the table and the sheet of their patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis import encoding
from analysis.exemplars.choose import Exemplar
from analysis.exemplars.patches import patch_box, picture_of, tile_of
from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer
from analysis.probe.probe import Probe

COLUMNS: dict[str, str] = {
    "channel": "number of the channel",
    "rank": "0 is the strongest (weakest, most median)",
    "kind": "top, median or least",
    "image": "number of the image in the probe",
    "name": "its name",
    "label": "name of its class, None without labels",
    "value": "greatest value of the channel's map at the conv's own output",
    "y": "row of the map where that is",
    "x": "column",
    "top": "first row of the patch in the prepared image, px",
    "left": "first column",
    "bottom": "row after the last",
    "right": "column after the last",
    "tile": "number of the patch on patches.webp, row by row",
}
"""The columns of exemplars.parquet, one row an exemplar."""


def exemplar_files(
    found: Sequence[Exemplar], layer: ConvLayer | None, probe: Probe, spec: InputSpec, tile: int, columns: int
) -> dict[str, bytes]:
    """exemplars.parquet, patches.webp (`columns` tiles a row of each channel; several channels a row where these are
    few) and facts.json. Each image is decoded once.

    layer: None for outputs that see the whole image
    """
    by_image: dict[int, list[int]] = {}
    for number, exemplar in enumerate(found):
        by_image.setdefault(exemplar.image, []).append(number)
    rows: list[dict[str, Any]] = [{}] * len(found)
    tiles = [np.zeros((tile, tile, 3), np.uint8)] * len(found)
    for image, numbers in sorted(by_image.items()):
        picture = picture_of(probe.batch([image], spec)[0].numpy())
        # what sees the whole image, or has the same peak as another channel, is cut once
        cut: dict[tuple[int, ...], np.ndarray] = {}
        for number in numbers:
            rows[number] = _row(found[number], layer, probe, spec) | {"tile": number}
            box = tuple(rows[number][side] for side in ("top", "left", "bottom", "right"))
            if box not in cut:
                cut[box] = tile_of(picture, box, tile)
            tiles[number] = cut[box]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    columns *= max(1, math.isqrt(len(tiles)) // columns)
    return {"exemplars.parquet": encoding.to_parquet(table)} | sheet_files("patches.webp", tiles, columns)


def _row(exemplar: Exemplar, layer: ConvLayer | None, probe: Probe, spec: InputSpec) -> dict[str, Any]:
    width = layer.output_size[-1] if layer and layer.output_size else 1
    y, x = divmod(exemplar.place, width)
    top, left, bottom, right = patch_box(layer, y, x, spec.height, spec.width)
    return {
        "channel": exemplar.channel,
        "rank": exemplar.rank,
        "kind": exemplar.kind,
        "image": exemplar.image,
        "name": probe.names[exemplar.image],
        "label": class_name(probe, exemplar.image),
        "value": exemplar.value,
        "y": y,
        "x": x,
        "top": top,
        "left": left,
        "bottom": bottom,
        "right": right,
    }


def class_name(probe: Probe, image: int) -> str | None:
    """The name of an image's class; its number where classes have no names; None where it has no label."""
    if probe.labels is None or probe.labels[image] < 0:
        return None
    label, classes = int(probe.labels[image]), probe.card.classes
    return classes[label] if label < len(classes) else str(label)


def sheet_files(name: str, tiles: Sequence[np.ndarray], columns: int) -> dict[str, bytes]:
    """A sheet of square tiles and the facts that find a tile on it. No sheet where there are no tiles."""
    files = {"facts.json": encoding.to_json({"tile": len(tiles[0]) if tiles else 0, "columns": columns})}
    return files | ({name: encoding.to_picture(encoding.sheet(tiles, columns))} if tiles else {})
