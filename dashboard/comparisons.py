"""What the compare page says of two atlases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.comparison.compare import COMPARED, compare_layer, compare_models
from analysis.findings.words import counted
from analysis.models.layers import ConvLayer
from dashboard.address import link
from dashboard.answers import answers_of
from dashboard.components.grid import panel
from dashboard.components.strips import Figure, Head, Strip
from dashboard.layers import layer_facts, representatives, represented
from dashboard.library import CLASSES, layers_of, layers_with_something
from dashboard.measures import KNOWN, Measure, numbers, to_data, written
from dashboard.pictures import LayerPictures, Sheets, Tile, tiles_of
from dashboard.state import View
from sample_models.catalog import sample_of, went_before

PICTURES = 6
OF_ACTIVATIONS = ("zeros_a", "zeros_b", "dead_a", "dead_b", "died", "revived", "peak_ratio")
"""What says nothing of a class: no activation follows, and its mean answer is about 0."""
SILENT = next(measure for measure in KNOWN if measure.name == "zeros")
MOVED = Measure("shift", "Moved", "Difference of the means ÷ their pooled standard deviation.")


@dataclass(frozen=True)
class PairFacts:
    """What the two-panel grid is drawn from."""

    channels: list[int]
    panels: list[dict[str, Any]]
    sheets: Sheets
    statistics: list[dict[str, Any]]
    labels: dict[int, str]
    highlights: list[str]


def natural_pair(newest_first: Sequence[Atlas], wanted: str = "") -> tuple[str, str]:
    """Ids of two atlases that a person likely wants to compare, older first: the newest two of the same layers.

    wanted : one of the two, where it is known
    """
    first_to_try = [atlas for atlas in newest_first if atlas.id == wanted] or list(newest_first)
    for later in first_to_try:
        for earlier in newest_first:
            if earlier.id != later.id and _layer_names(earlier) == _layer_names(later):
                return older_first(earlier, later)
    other = next(atlas for atlas in newest_first if atlas.id != first_to_try[0].id)
    return older_first(other, first_to_try[0])


def older_first(one: Atlas, other: Atlas) -> tuple[str, str]:
    """Their ids in the order of training where that is known: of samples that go on from each other, of names that
    differ in a number alone (epoch10, epoch90). Else in the order in which the atlases were made."""
    first, second = sorted((one, other), key=lambda atlas: (atlas.created, atlas.id))
    if _goes_on_from(first, second) or _numbered_after(first, second):
        first, second = second, first
    return first.id, second.id


def _goes_on_from(later: Atlas, earlier: Atlas) -> bool:
    samples = sample_of(later.model.sha256), sample_of(earlier.model.sha256)
    return samples[0] is not None and samples[1] is not None and samples[1].name in went_before(samples[0])


def _numbered_after(later: Atlas, earlier: Atlas) -> bool:
    names = [re.split(r"(\d+)", atlas.model.name) for atlas in (later, earlier)]
    return names[0][::2] == names[1][::2] and list(map(int, names[0][1::2])) > list(map(int, names[1][1::2]))


def _layer_names(atlas: Atlas) -> list[str]:
    return [layer.name for layer in atlas.model.layers]


def layer_pairs(a: Atlas, b: Atlas) -> pd.DataFrame:
    """One row a pair of layers, heads among them, of which either atlas has something; columns: MODEL_COLUMNS of
    analysis.comparison."""
    cards = [replace(atlas.model, layers=tuple(layers_of(atlas.model))) for atlas in (a, b)]
    tables = [{layer.name: atlas.statistics(layer.name) for layer in layers_of(atlas.model)} for atlas in (a, b)]
    known = [{name: table for name, table in each.items() if table is not None} for each in tables]
    pairs = compare_models(cards[0], cards[1], known[0], known[1])
    heads = {layer.name for card in cards for layer in card.layers if layer.kind == CLASSES}
    pairs.loc[pairs["layer_a"].isin(heads) | pairs["layer_b"].isin(heads), list(OF_ACTIVATIONS)] = float("nan")
    planned = [{layer.name for layer in layers_with_something(atlas)} for atlas in (a, b)]
    kept = pairs["layer_a"].isin(planned[0]) | pairs["layer_b"].isin(planned[1])
    return pairs[kept] if kept.any() else pairs


def summary(a: Atlas, b: Atlas, pairs: pd.DataFrame) -> str:
    """One sentence: how often each is right, what moved most, what died; of what is not known it says nothing."""
    parts = []
    answers = answers_of(a), answers_of(b)
    if answers[0] and answers[1]:
        same = a.probe and b.probe and a.probe.hash == b.probe.hash
        images = "the images" if same else "its images"
        right = [f"{100 * each.accuracy:.1f} %" for each in answers if each]
        parts.append(f"{a.model.name} names {right[0]} of {images} rightly, {b.model.name} {right[1]}")
    convs = pairs[pairs["layer_a"].isin([layer.name for layer in a.model.layers])]
    shifts = convs["mean_shift"].astype(float)
    if shifts.notna().any():
        died, revived = int(convs["died"].sum()), int(convs["revived"].sum())
        lives = [f"{counted(died, 'channel')} died"] if died else []
        lives += [f"{revived if died else counted(revived, 'channel')} came alive"] if revived else []
        parts.append(f"{convs['layer_a'].iloc[int(np.nanargmax(shifts))]} moved most")
        parts.append(" and ".join(lives) or "no channel died or came alive")
    return f"{'; '.join(parts)}." if parts else ""


def nothing_shared(a: Atlas, b: Atlas, pairs: pd.DataFrame) -> str:
    """Why there is nothing to compare, where no layer of the one has a counterpart in the other; else empty."""
    if not (pairs["paired"] == "unpaired").all():
        return ""
    return (
        f"{a.model.name} and {b.model.name} share no layer, neither by name nor by shape, so none lie side by side. "
        "Choose two models of one architecture: two checkpoints, or one before and after fine-tuning."
    )


def pair_strips(a: Atlas, b: Atlas, pairs: pd.DataFrame, view: View, sheets: Sheets) -> list[Strip]:
    return [_strip(a, b, {str(k): v for k, v in row.items()}, view, sheets) for row in pairs.to_dict("records")]


def pair_head(a: Atlas, b: Atlas) -> Head:
    return Head("Layer", [a.model.name, b.model.name], ["Moved", "Response", "Silent", "Dead"])


def _strip(a: Atlas, b: Atlas, row: dict[str, Any], view: View, sheets: Sheets) -> Strip:
    names = [name if isinstance(name, str) else None for name in (row["layer_a"], row["layer_b"])]
    name = names[0] or names[1] or ""
    things = "classes" if a.model.is_head(name) or b.model.is_head(name) else "channels"
    subtitle = {"name": f"{row['channels_a']:.0f} {things}", "order": f"paired with {names[1]} by its place"}
    only = f"only in {(a if names[0] else b).model.name}"
    tiles = _tiles(a, b, names, row["channels_a"] == row["channels_b"], sheets)
    there = view.at(layer=name)
    return Strip(
        name, link("compare", there), name, subtitle.get(row["paired"], only), tiles, _figures(row), empty="not there"
    )


def _tiles(a: Atlas, b: Atlas, names: Sequence[str | None], alike: bool, sheets: Sheets) -> list[list[Tile]]:
    """Pictures of both sides: of the same channels, which tell most of the second, where they can be paired."""
    sides = [(atlas, layer_named(atlas, name) if name else None) for atlas, name in zip((a, b), names, strict=True)]
    chosen = [represented(atlas, layer, PICTURES) if layer else [] for atlas, layer in sides]
    if alike and all(chosen):
        found = [tiles_of(atlas, layer.name, chosen[1], sheets) if layer else {} for atlas, layer in sides]
        return [[tiles[channel] for channel in chosen[1] if all(channel in each for each in found)] for tiles in found]
    return [representatives(atlas, layer, sheets, PICTURES) if layer else [] for atlas, layer in sides]


def layer_named(atlas: Atlas, name: str) -> ConvLayer:
    """A conv layer or a head."""
    return next(layer for layer in layers_of(atlas.model) if layer.name == name)


def _figures(row: dict[str, Any]) -> list[Figure]:
    def both(name: str, scale: int = 1, unit: str = "") -> str:
        sides = [row[f"{name}_a"], row[f"{name}_b"]]
        if all(pd.isna(side) for side in sides):
            return "–"
        return " → ".join("–" if pd.isna(side) else f"{scale * side:.0f}{unit}" for side in sides)

    shift, peak = row["mean_shift"], row["peak_ratio"]
    died = 0 if pd.isna(row["died"]) else int(row["died"])
    return [
        Figure(
            "Moved",
            written(shift),
            None if pd.isna(shift) else min(1.0, float(shift)),
            about="Mean over the channels of |difference of means| ÷ pooled standard deviation.",
        ),
        Figure(
            "Response", "–" if pd.isna(peak) else f"×{peak:.2f}", about="Mean peak of the second ÷ that of the first."
        ),
        Figure("Silent", both("zeros", 100, " %"), about=f"{SILENT.about} The median over the layer's channels."),
        Figure("Dead", both("dead"), alarm=died > 0, about=f"Dead channels; {died} died between the two."),
    ]


def pair_facts(a: Atlas, b: Atlas, layer_a: str | None, layer_b: str | None) -> PairFacts:
    """Both sides of one pair of layers; a side without a counterpart stays empty."""
    sheets = Sheets()
    sides = [
        None if name is None else layer_facts(atlas, layer_named(atlas, name))
        for atlas, name in ((a, layer_a), (b, layer_b))
    ]
    channels = list(range(max(len(side.channels) for side in sides if side)))
    panels: list[dict[str, Any]] = []
    labels: dict[int, str] = {}
    for atlas, side in zip((a, b), sides, strict=True):
        pictures = LayerPictures() if side is None else _taken(side.pictures, side.sheets, sheets)
        dead, planned = (side.dead, side.planned) if side else (set(), set())
        panels.append(panel(atlas.model.name, channels, pictures, dead, planned))
        labels = labels or dict(pictures.labels)
    tables = [atlas.statistics(name) if name else None for atlas, name in ((a, layer_a), (b, layer_b))]
    statistics = _statistics(tables[0], tables[1], channels)
    return PairFacts(channels, panels, sheets, statistics, labels, [each["name"] for each in statistics][:5])


def _taken(pictures: LayerPictures, of: Sheets, into: Sheets) -> LayerPictures:
    return LayerPictures(
        {channel: into.take(tile, of) for channel, tile in pictures.picture.items()},
        {channel: [into.take(tile, of) for tile in tiles] for channel, tiles in pictures.examples.items()},
        pictures.labels,
    )


def _statistics(a: pd.DataFrame | None, b: pd.DataFrame | None, channels: list[int]) -> list[dict[str, Any]]:
    if a is None or b is None:
        return to_data(a if a is not None else b, channels)
    table = compare_layer(a, b).set_index("channel").reindex(channels)
    known = {measure.name: measure for measure in KNOWN}
    told = [_column(table, "shift", MOVED.title, MOVED.about, "number")]
    for name in COMPARED:
        measure = known[name]
        told.append(
            _column(
                table, f"{name}_change", f"{measure.title}: change", f"{measure.about} Second − first.", measure.format
            )
        )
    for name in COMPARED:
        measure = known[name]
        told += [
            _column(table, f"{name}_{side}", f"{measure.title}: {word}", measure.about, measure.format)
            for side, word in (("a", "first"), ("b", "second"))
        ]
    return told


def _column(table: pd.DataFrame, name: str, title: str, about: str, form: str) -> dict[str, Any]:
    return {"name": name, "title": title, "about": about, "format": form, "values": numbers(table[name])}
