"""What the layer, overview and compare pages say of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from analysis.task import Task
from dashboard import glimpse
from dashboard.address import link
from dashboard.classes import unit_names
from dashboard.components.strips import Figure, Strip
from dashboard.library import CLASSES, OUTPUTS
from dashboard.measures import measures_of, to_data, written
from dashboard.pictures import LayerPictures, Sheets, Tile, layer_pictures, readable, spread
from dashboard.state import View

ROW_PICTURES = 16
"""Pictures a row of the overview holds at most; narrow screens show fewer."""


@dataclass(frozen=True)
class GridFacts:
    """What the grid of one layer is drawn from."""

    channels: list[int]
    pictures: LayerPictures
    sheets: Sheets
    table: pd.DataFrame
    statistics: list[dict[str, Any]]
    highlights: list[str]
    dead: set[int]
    planned: set[int]
    words: dict[int, str]
    named: bool
    figures: list[Figure]


def layer_facts(atlas: Atlas, layer: ConvLayer) -> GridFacts:
    """All channels of a layer, with what there is of them by now."""
    return _layer_facts(atlas, layer, made_by_now(atlas, layer.name))


@lru_cache(maxsize=512)
def _layer_facts(atlas: Atlas, layer: ConvLayer, _made_by_now: tuple[str, ...]) -> GridFacts:
    sheets = Sheets()
    pictures = layer_pictures(atlas, layer.name, sheets)
    channels = list(range(layer.out_channels))
    known = unit_names(atlas, layer)
    if known:  # what a class is called says more than what its strongest images show
        pictures.labels.update(enumerate(known.names[: layer.out_channels]))
    table = channel_table(atlas, layer, pictures)
    highlights = [measure.name for measure in measures_of(table) if measure.highlight]
    dead = set() if "dead" not in table else set(table["channel"][table["dead"].fillna(False).astype(bool)].astype(int))
    planned = _planned(atlas, layer) | pictures.picture.keys() | pictures.examples.keys()
    statistics = to_data(table, channels)
    figures = _key_figures(table, dead)
    return GridFacts(
        channels, pictures, sheets, table, statistics, highlights, dead, planned, _driving(table), bool(known), figures
    )


def representatives(atlas: Atlas, layer: ConvLayer, sheets: Sheets, count: int) -> list[Tile]:
    """The most telling pictures of at most `count` living channels, the first most; real patches, spread evenly over
    them, where none is rendered."""
    chosen = _representatives(atlas, layer, count, made_by_now(atlas, layer.name))
    return [sheets.take(tile, chosen.sheets) for tile in chosen.tiles]


def represented(atlas: Atlas, layer: ConvLayer, count: int) -> list[int]:
    """The channels of `representatives`."""
    return _representatives(atlas, layer, count, made_by_now(atlas, layer.name)).channels


@dataclass(frozen=True)
class _Chosen:
    channels: list[int]
    tiles: list[Tile]
    sheets: Sheets


@lru_cache(maxsize=4096)
def _representatives(atlas: Atlas, layer: ConvLayer, count: int, _made_by_now: tuple[str, ...]) -> _Chosen:
    sheets = Sheets()
    rows, file = atlas.features(layer.name), glimpse.SHEET
    if rows is None:
        rows, file = atlas.exemplars(layer.name), "patches.webp"
        if rows is None:
            return _Chosen([], [], sheets)
        rows = rows[(rows["kind"] == "top") & (rows["rank"] == 0)]
    statistics = atlas.statistics(layer.name)
    if statistics is not None and "dead" in statistics:
        alive = rows[~rows["channel"].isin(statistics["channel"][statistics["dead"]])]
        rows = rows if alive.empty else alive
    if file == glimpse.SHEET:
        rows = glimpse.most_telling(atlas, rows, count)
    else:
        rows = rows.iloc[spread(range(len(rows)), count)]
    return _Chosen(rows["channel"].astype(int).tolist(), sheets.tiles(atlas, rows, file), sheets)


def channel_table(atlas: Atlas, layer: ConvLayer, pictures: LayerPictures) -> pd.DataFrame:
    """One row a channel: its statistics, its filter's norm, and what its pictures and images tell (purity, reach)."""
    table = pd.DataFrame({"channel": range(layer.out_channels)})
    statistics = atlas.statistics(layer.name)
    if statistics is not None:
        table = table.merge(statistics.drop(columns="folder"), on="channel", how="left")
    weights = atlas.weights(layer.name)
    if weights is not None:
        table = table.merge(weights[["channel", "norm"]], on="channel", how="left")
    if pictures.purity:
        table["purity"] = table["channel"].map(pictures.purity).astype(float)
    if pictures.peaks and "peak_max" in table:
        best = table["peak_max"].where(table["peak_max"] > 0)
        table["reach"] = table["channel"].map(pictures.peaks).astype(float) / best
    return table


def _driving(table: pd.DataFrame) -> dict[int, str]:
    """Channel → the classes that drive it, as words to search for."""
    if "classes" not in table:
        return {}
    named = zip(table["channel"].astype(int), table["classes"], strict=True)
    return {channel: " ".join(map(readable, names)) for channel, names in named if hasattr(names, "__len__")}


def _planned(atlas: Atlas, layer: ConvLayer) -> set[int]:
    """The channels of which pictures or real images were asked for."""
    return channels_of(_of_channels(atlas, layer))


def _of_channels(atlas: Atlas, layer: ConvLayer) -> list[Task]:
    """What was planned of the layer's own channels, not of a twin's."""
    return [task for task in atlas.tasks(layer=layer.name) if task.technique != "twins"]


def still_to_come(atlas: Atlas, layer: ConvLayer) -> list[Task]:
    """What was planned of a layer and is neither there nor known to have failed."""
    return [
        task
        for task in _of_channels(atlas, layer)
        if not atlas.artifacts.has(task) and atlas.artifacts.failure(task) is None
    ]


def channels_of(tasks: list[Task]) -> set[int]:
    """The channels that tasks make something of one by one."""
    return {channel for task in tasks if task.channels is not None for channel in range(*task.channels)}


def made_by_now(atlas: Atlas, layer: str) -> tuple[str, ...]:
    """The keys of what is there of a layer: changes when a build adds to it."""
    tasks = atlas.tasks(layer=layer) + (atlas.tasks(OUTPUTS) if atlas.model.is_head(layer) else [])
    return tuple(task.key for task in tasks if atlas.artifacts.has(task))


def sizes(values: tuple[int, ...]) -> str:
    """(3, 3) → 3×3."""
    return "×".join(map(str, values))


def about_layer(layer: ConvLayer) -> str:
    """One line: what the layer is."""
    if layer.kind == CLASSES:
        return f"what the model answers, {layer.out_channels:,} classes"
    parts = [f"{layer.kind} {sizes(layer.kernel_size)}", f"{layer.in_channels} → {layer.out_channels} channels"]
    if any(step != 1 for step in layer.stride):
        parts.append(f"stride {sizes(layer.stride)}")
    if layer.receptive_field:
        parts.append(f"sees {sizes(layer.receptive_field)} px")
    if layer.output_size:
        parts.append(f"map {sizes(layer.output_size)}")
    parts.append(f"{layer.parameters:,} parameters")
    return " · ".join(parts)


def in_columns(layer: ConvLayer) -> dict[str, str]:
    """The same as cells of a table, each short enough to be read whole."""
    stride = dict.fromkeys(layer.stride)
    return {
        "Layer": layer.name,
        "Kernel": sizes(layer.kernel_size),
        "Stride": sizes(tuple(stride) if len(stride) == 1 else layer.stride),
        "Channels": f"{layer.in_channels} → {layer.out_channels}",
        "Sees, px": sizes(layer.receptive_field or ()),
        "Map": sizes(layer.output_size or ()),
        "Parameters": f"{layer.parameters:,}",
    }


ABOUT_LAYERS = """
- **3×3** and the like: the size of its kernel.
- **3 → 64 channels**: how many it reads, and how many it makes.
- **sees 23×23 px**: the part of the input that one value depends on, its receptive field.
- **map 28×28**: the places at which each channel answers, in an input of the model's usual size.
- **parameters**: its weights and biases.
"""
"""What the words of `about_layer` mean."""


def request_for_the_rest(atlas: Atlas, layer: ConvLayer) -> dict[str, Any] | None:
    """The latest build's request, for all channels of this layer alone; None where no build told what it was asked."""
    request = latest_request(atlas)
    return {**request, "layers": [layer.name], "channels": None} if request else None


def latest_request(atlas: Atlas) -> dict[str, Any] | None:
    """What was asked for last that shows a layer as a whole: not a map or a twin alone, nor pictures of one channel."""
    requests = [build["request"] for build in atlas.builds()]
    whole = [
        request for request in requests if set(request.get("techniques") or ()) - {"map", "activation-atlas", "twins"}
    ]
    return dict(whole[-1]) if whole else None


def neighbours(before: str | None, after: str | None) -> list[tuple[str, str]]:
    """(layer, icon) of the layers before and after."""
    sides = ((before, ":material/chevron_left:"), (after, ":material/chevron_right:"))
    return [(name, icon) for name, icon in sides if name is not None]


def layer_strip(atlas: Atlas, layer: ConvLayer, sheets: Sheets) -> Strip:
    """The layer as a row of the overview."""
    facts = layer_facts(atlas, layer)
    subtitle = about_layer(layer)
    if layer.kind != CLASSES:
        subtitle = f"{layer.out_channels} channels · {sizes(layer.kernel_size)}"
    if layer.receptive_field:
        subtitle += f" · sees {max(layer.receptive_field)} px"
    return Strip(
        layer.name,
        link("layer", View(atlas=atlas.id, layer=layer.name)),
        layer.name,
        subtitle,
        [representatives(atlas, layer, sheets, ROW_PICTURES)],
        facts.figures,
        seen_share(atlas, layer),
    )


def _key_figures(table: pd.DataFrame, dead: set[int]) -> list[Figure]:
    """A layer's key statistics: dead channels, what the activation silences, how strongly it answers, purity."""
    figures, count = [], len(table)
    if "dead" in table:
        about = "Channels that the activation silences on every image."
        figures.append(Figure("Dead", f"{len(dead)} of {count}", len(dead) / count, alarm=bool(dead), about=about))
    for name in ("zeros", "peak_max", "purity"):
        measure = next((each for each in measures_of(table) if each.name == name), None)
        if measure is None:
            continue
        middle = float(table[name].median())
        share = middle if measure.format == "percent" else None
        about = f"{measure.about} The median over the layer's channels."
        figures.append(Figure(measure.title, written(middle, measure.format), share, about=about))
    return figures


def seen_share(atlas: Atlas, layer: ConvLayer) -> float | None:
    """How much of the input's width one position of the layer sees, at most 1."""
    if layer.receptive_field is None:
        return None
    return min(1.0, layer.receptive_field[-1] / atlas.model.input.width)
