"""Where the pictures of an atlas lie: sheets by address, and each channel's tiles on them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import pandas as pd

from analysis.atlas.artifacts import folder_of
from analysis.atlas.atlas import Atlas

Tile = tuple[int, int]
"""Number of the sheet, number of the tile on it."""
EXAMPLES = 8
"""Real images a channel that the grid and the strips know."""
WHOLE = 4
"""Of these, those that it knows as whole images too."""


def address(atlas: Atlas, folder: str, name: str) -> str:
    """Where the server gives out a file of an atlas."""
    return f"/atlas/{quote(atlas.id, safe='')}/{quote(folder)}/{quote(name)}"


@dataclass
class Sheets:
    """The sheets that a component needs, each once, as its script takes them."""

    atlas_sheets: list[dict[str, Any]] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, atlas: Atlas, folder: str, name: str) -> int:
        url = address(atlas, folder, name)
        if url not in self._numbers:
            facts = atlas.facts(folder)
            width, height = (facts["tile"], facts["tile"]) if isinstance(facts["tile"], int) else facts["tile"]
            self._numbers[url] = len(self.atlas_sheets)
            self.atlas_sheets.append({"url": url, "width": width, "height": height, "columns": facts["columns"]})
        return self._numbers[url]

    def single(self, atlas: Atlas, folder: str, name: str, width: int, height: int) -> Tile:
        """A picture that is a file of its own, as a sheet of one tile."""
        url = address(atlas, folder, name)
        if url not in self._numbers:
            self._numbers[url] = len(self.atlas_sheets)
            self.atlas_sheets.append({"url": url, "width": width, "height": height, "columns": 1})
        return self._numbers[url], 0

    def take(self, tile: Tile, of: Sheets) -> Tile:
        """The same tile, numbered as in these sheets."""
        sheet = of.atlas_sheets[tile[0]]
        url = sheet["url"]
        if url not in self._numbers:
            self._numbers[url] = len(self.atlas_sheets)
            self.atlas_sheets.append(sheet)
        return self._numbers[url], tile[1]

    def tiles(self, atlas: Atlas, rows: pd.DataFrame, name: str) -> list[Tile]:
        """One tile a row of a table that has the columns `folder` and `tile`."""
        numbers = {folder: self.number(atlas, str(folder), name) for folder in rows["folder"].unique()}
        return [(numbers[folder], int(tile)) for folder, tile in zip(rows["folder"], rows["tile"], strict=True)]


@dataclass(frozen=True)
class LayerPictures:
    """The tiles of one layer's channels.

    picture  : channel → its feature visualization
    examples : channel → its strongest real patches, strongest first
    labels   : channel → the classes of these, commonest first; empty where the probe has no labels
    purity   : channel → share of these that are of the commonest class
    peaks    : channel → the greatest activation its picture reaches
    whole    : channel → the whole images of the strongest patches, strongest first
    faces    : channel → further pictures of it that somebody asked for, one a face
    """

    picture: dict[int, Tile] = field(default_factory=dict)
    examples: dict[int, list[Tile]] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    purity: dict[int, float] = field(default_factory=dict)
    peaks: dict[int, float] = field(default_factory=dict)
    whole: dict[int, list[Tile]] = field(default_factory=dict)
    faces: dict[int, list[Tile]] = field(default_factory=dict)


def layer_pictures(atlas: Atlas, layer: str, sheets: Sheets) -> LayerPictures:
    found = LayerPictures()
    features, exemplars = atlas.features(layer), atlas.exemplars(layer)
    if features is not None:
        channels = features["channel"].astype(int).tolist()
        found.picture.update(zip(channels, sheets.tiles(atlas, features, "sheet.webp"), strict=True))
        found.peaks.update(zip(channels, features["peak"].astype(float), strict=True))
    if exemplars is not None:
        top = exemplars[exemplars["kind"] == "top"].sort_values(["channel", "rank"])
        names: dict[int, list[str]] = {}
        rows = zip(top["channel"].tolist(), sheets.tiles(atlas, top, "patches.webp"), labels_of(top), strict=True)
        for channel, tile, label in rows:
            found.examples.setdefault(channel, []).append(tile)
            names.setdefault(channel, []).append(label)
        for channel, labels in names.items():
            counts = Counter(label for label in labels if label).most_common(3)
            if counts:
                found.labels[channel] = ", ".join(name for name, _ in counts)
            if counts and _enough_a_class(atlas):
                found.purity[channel] = counts[0][1] / len(labels)
            found.examples[channel] = found.examples[channel][:EXAMPLES]
        found.whole.update(_whole(atlas, top, sheets))
    found.faces.update(_faces(atlas, layer, sheets))
    return found


def _whole(atlas: Atlas, top: pd.DataFrame, sheets: Sheets) -> dict[int, list[Tile]]:
    """Channel → the first whole images of its exemplars."""
    where = image_places(atlas)
    found: dict[int, list[Tile]] = {}
    for channel, image in zip(top["channel"].tolist(), top["image"].tolist(), strict=True):
        tiles = found.setdefault(channel, [])
        if len(tiles) < WHOLE and image in where:
            folder, sheet, tile = where[image]
            tiles.append((sheets.number(atlas, folder, f"sheet-{sheet}.webp"), tile))
    return found


def _faces(atlas: Atlas, layer: str, sheets: Sheets) -> dict[int, list[Tile]]:
    """Channel → the faces that were made last, where several were asked for."""
    found: dict[int, list[Tile]] = {}
    for task in atlas.tasks("renders", layer):
        several = task.channels is not None and int(task.parameters.get("faces", 1)) > 1
        if several and task.channels and atlas.artifacts.has(task):
            folder = folder_of(task)
            facts = atlas.facts(folder)
            size = int(facts["width"]), int(facts["height"])
            names = [f"face-{face}.webp" for face in range(int(facts["faces"]))]
            found[task.channels[0]] = [sheets.single(atlas, folder, name, *size) for name in names]
    return found


def rows_of(table: pd.DataFrame, channel: int) -> pd.DataFrame:
    """The rows of one channel of a table that is sorted by channel: a slice, where a comparison would copy."""
    channels = table["channel"].to_numpy()
    return table.iloc[channels.searchsorted(channel) : channels.searchsorted(channel, "right")]


def image_places(atlas: Atlas) -> Mapping[int, tuple[str, int, int]]:
    """Image of the probe → folder, sheet and tile of its thumbnail, of those that some exemplar refers to."""
    return _places(atlas, tuple(task.key for task in atlas.tasks("images") if atlas.artifacts.has(task)))


@lru_cache(maxsize=32)
def _places(atlas: Atlas, _made_by_now: tuple[str, ...]) -> Mapping[int, tuple[str, int, int]]:
    images = atlas.images()
    if images is None:
        return {}
    places = zip(images["image"], images["folder"], images["sheet"], images["tile"], strict=True)
    return {int(image): (str(folder), int(sheet), int(tile)) for image, folder, sheet, tile in places}


def _enough_a_class(atlas: Atlas) -> bool:
    """Whether a channel's strongest images could all be of one class; otherwise purity speaks of the probe."""
    return atlas.probe is not None and atlas.probe.count >= EXAMPLES * max(1, len(atlas.probe.classes))


def labels_of(rows: pd.DataFrame) -> list[str]:
    """The column `label` as people read it, empty where there is none."""
    return ["" if pd.isna(label) else readable(str(label)) for label in rows["label"]]


def readable(label: str) -> str:
    """`n01532829_house_finch` → house finch."""
    return re.sub(r"^n\d{8}[_ -]", "", label).replace("_", " ")


def spread(items: Sequence[int], count: int) -> list[int]:
    """At most `count` of the items, evenly apart."""
    if len(items) <= count:
        return list(items)
    return [items[round(place * (len(items) - 1) / (count - 1))] for place in range(count)] if count > 1 else [items[0]]


def tiles_of(atlas: Atlas, layer: str, channels: Collection[int], sheets: Sheets) -> dict[int, Tile]:
    """Channel → its picture, else its strongest real patch, without looking at the rest of the layer."""
    wanted = set(channels)
    found: dict[int, Tile] = {}
    for rows, file in ((atlas.features(layer), "sheet.webp"), (_strongest(atlas, layer), "patches.webp")):
        if rows is None or wanted <= found.keys():
            continue
        chosen = rows[rows["channel"].isin(wanted - found.keys())]
        found.update(zip(chosen["channel"].astype(int), sheets.tiles(atlas, chosen, file), strict=True))
    return found


def _strongest(atlas: Atlas, layer: str) -> pd.DataFrame | None:
    exemplars = atlas.exemplars(layer)
    return None if exemplars is None else exemplars[(exemplars["kind"] == "top") & (exemplars["rank"] == 0)]
