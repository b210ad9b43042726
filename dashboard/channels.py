"""What the channel page says of one channel."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.classes import word_for
from dashboard.components.unit import Example, Group, Picture, Values
from dashboard.layers import GridFacts, latest_request, still_to_come
from dashboard.library import CLASSES, asked_for
from dashboard.measures import written
from dashboard.pictures import Sheets, Tile, address, image_places, labels_of, rows_of

KINDS = (
    (
        "top",
        "Strongest real images",
        "What excites it most. Point at one to see where in the image; open it to see why.",
        104,
    ),
    ("median", "In the middle", "What it answers to half-heartedly.", 76),
    ("least", "Weakest", "What it is silenced by.", 76),
)


def still_to_come_of(atlas: Atlas, layer: ConvLayer, channel: int) -> bool:
    """Whether something that was planned of this channel is neither there nor known to have failed."""
    return any(
        task.channels is None or task.channels[0] <= channel < task.channels[1] for task in still_to_come(atlas, layer)
    )


def picture_of(atlas: Atlas, layer: ConvLayer, channel: int, facts: GridFacts) -> Picture:
    features = atlas.features(layer.name)
    row = None if features is None else _only(rows_of(features, channel))
    if row is None:
        why = "It is dead: nothing excites it." if channel in facts.dead else "Its picture is not made yet."
        return Picture(None, why, "")
    caption = f"What excites it most, made by the model itself in {int(row['steps'])} steps, seed {int(row['seed'])}."
    reach = facts.table["reach"].iloc[channel] if "reach" in facts.table else float("nan")
    if pd.notna(reach):
        caption += f" It excites the {word_for(layer)} {float(reach):.1f} times as much as the best real image."
    url = address(atlas, str(row["folder"]), f"{channel:05d}.webp")
    return Picture(url, f"Feature visualization of {word_for(layer)} {channel} of {layer.name}", caption)


def examples_of(atlas: Atlas, layer: ConvLayer, channel: int, sheets: Sheets) -> list[Group]:
    """The channel's real images in groups, strongest first."""
    exemplars = atlas.exemplars(layer.name)
    if exemplars is None:
        return []
    rows = rows_of(exemplars, channel)
    whole, heat = _whole_images(atlas, rows, sheets), _heat(atlas, layer, channel, sheets)
    groups = []
    for kind, title, about, size in KINDS:
        chosen = rows[rows["kind"] == kind].sort_values("rank")
        if len(chosen):
            groups.append(Group(title, about, size, _examples(atlas, chosen, whole, heat, sheets)))
    return groups


def values_of(layer: ConvLayer, facts: GridFacts, channel: int) -> Values | None:
    """The distribution of the channel's values over all images and positions."""
    if "histogram" not in facts.table:
        return None
    row = facts.table.iloc[channel]
    counts, edges = row["histogram"], row["histogram_edges"]
    if counts is None or not hasattr(counts, "__len__") or not len(counts):
        return None
    where = "images" if layer.kind == CLASSES else "images and positions, at the convolution's own output"
    about = f"Over all {where}; heights are logarithmic."
    return Values("How it answers", about, [int(count) for count in counts], float(edges[0]), float(edges[-1]))


def _examples(
    atlas: Atlas,
    rows: pd.DataFrame,
    whole: dict[int, Tile],
    heat: dict[int, tuple[Tile, float]],
    sheets: Sheets,
) -> list[Example]:
    height, width = atlas.model.input.height, atlas.model.input.width
    patches, labels = sheets.tiles(atlas, rows, "patches.webp"), labels_of(rows)
    return [
        Example(
            patch,
            whole.get(int(row["image"])),
            (row["left"] / width, row["top"] / height, row["right"] / width, row["bottom"] / height),
            label,
            str(row["name"]),
            written(float(row["value"])),
            int(row["image"]),
            *heat.get(int(row["image"]), (None, 0.0)),
        )
        for row, patch, label in zip(_records(rows), patches, labels, strict=True)
    ]


def _whole_images(atlas: Atlas, rows: pd.DataFrame, sheets: Sheets) -> dict[int, Tile]:
    places = image_places(atlas)
    known = {image: places[image] for image in map(int, rows["image"]) if image in places}
    return {
        image: (sheets.number(atlas, folder, f"sheet-{sheet}.webp"), tile)
        for image, (folder, sheet, tile) in known.items()
    }


def _heat(atlas: Atlas, layer: ConvLayer, channel: int, sheets: Sheets) -> dict[int, tuple[Tile, float]]:
    """Image → where in it the channel answers, and how strongly beside its strongest."""
    table = atlas.heat(layer.name)
    if table is None:
        return {}
    rows = rows_of(table, channel)
    tiles = sheets.tiles(atlas, rows, "heat.webp")
    strengths = rows["strength"].astype(float)
    return {int(image): (tile, strength) for image, tile, strength in zip(rows["image"], tiles, strengths, strict=True)}


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _only(rows: pd.DataFrame) -> dict[str, Any] | None:
    return next(iter(_records(rows)), None)


def request_for_heat(atlas: Atlas, layer: ConvLayer) -> dict[str, Any] | None:
    """The build that finds where this layer's channels answer in their exemplars; None where that is there, or can not
    be: no exemplars, a head, no build that told what it was asked."""
    request = latest_request(atlas)
    known = atlas.model.is_head(layer.name) or not layer.kind.endswith("2d") or atlas.heat(layer.name) is not None
    if request is None or known or atlas.exemplars(layer.name) is None:
        return None
    asked = {name: given for name, given in request["techniques"].items() if name in ("measure", "exemplars")}
    return {**request, "layers": [layer.name], "techniques": {**asked, "heat": {}}}


def being_found(atlas: Atlas, layer: ConvLayer) -> bool:
    """Whether somebody asked where this layer's channels answer, and it is still to come."""
    return atlas.heat(layer.name) is None and asked_for(atlas, "heat", layer.name)
