"""What the compare page says of two atlases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.comparison.atlases import compare_atlases
from analysis.comparison.compare import COMPARED, compare_layer
from dashboard.address import link
from dashboard.components.grid import panel
from dashboard.components.strips import Figure, Head, Strip
from dashboard.layers import layer_facts, representatives
from dashboard.measures import KNOWN, Measure, numbers, to_data, written
from dashboard.pictures import LayerPictures, Sheets
from dashboard.state import View

PICTURES = 6
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

    wanted : one of the two, where it is known; it comes first
    """
    first_to_try = [atlas for atlas in newest_first if atlas.id == wanted] or list(newest_first)
    for later in first_to_try:
        for earlier in newest_first:
            if earlier.id != later.id and _layer_names(earlier) == _layer_names(later):
                return (later.id, earlier.id) if wanted else (earlier.id, later.id)
    other = next(atlas for atlas in newest_first if atlas.id != first_to_try[0].id)
    return first_to_try[0].id, other.id


def _layer_names(atlas: Atlas) -> list[str]:
    return [layer.name for layer in atlas.model.layers]


def layer_pairs(a: Atlas, b: Atlas) -> pd.DataFrame:
    """One row a pair of layers of which either atlas has something; columns: analysis.comparison's MODEL_COLUMNS."""
    pairs = compare_atlases(a, b)
    planned = [{task.layer for task in atlas.tasks() if task.layer} for atlas in (a, b)]
    kept = pairs["layer_a"].isin(planned[0]) | pairs["layer_b"].isin(planned[1])
    return pairs[kept] if kept.any() else pairs


def pair_strips(a: Atlas, b: Atlas, pairs: pd.DataFrame, view: View, sheets: Sheets) -> list[Strip]:
    return [_strip(a, b, {str(k): v for k, v in row.items()}, view, sheets) for row in pairs.to_dict("records")]


def pair_head(a: Atlas, b: Atlas) -> Head:
    return Head("Layer", [a.model.name, b.model.name], ["Moved", "Response", "Silent", "Dead"])


def _strip(a: Atlas, b: Atlas, row: dict[str, Any], view: View, sheets: Sheets) -> Strip:
    names = [name if isinstance(name, str) else None for name in (row["layer_a"], row["layer_b"])]
    name = names[0] or names[1] or ""
    subtitle = {"name": f"{row['channels_a']:.0f} channels", "order": f"paired with {names[1]} by its place"}
    only = f"only in {(a if names[0] else b).model.name}"
    tiles = [
        representatives(atlas, atlas.model.layer(layer), sheets, PICTURES) if layer else []
        for atlas, layer in zip((a, b), names, strict=True)
    ]
    there = view.at(layer=name)
    return Strip(
        name, link("compare", there), name, subtitle.get(row["paired"], only), tiles, _figures(row), empty="not there"
    )


def _figures(row: dict[str, Any]) -> list[Figure]:
    def both(name: str, form: str = "") -> str:
        sides = [row[f"{name}_a"], row[f"{name}_b"]]
        if all(pd.isna(side) for side in sides):
            return "–"
        return " → ".join("–" if pd.isna(side) else f"{side:.0%}" if form else f"{side:.0f}" for side in sides)

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
        Figure("Silent", both("zeros", "percent"), about="Share of values that the activation silences."),
        Figure("Dead", both("dead"), alarm=died > 0, about=f"Dead channels; {died} died between the two."),
    ]


def pair_facts(a: Atlas, b: Atlas, layer_a: str | None, layer_b: str | None) -> PairFacts:
    """Both sides of one pair of layers; a side without a counterpart stays empty."""
    sheets = Sheets()
    sides = [
        None if name is None else layer_facts(atlas, atlas.model.layer(name))
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
