"""Names for units: what a class is called, what the strongest images of a channel show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import cache

from analysis.atlas.atlas import Atlas
from analysis.models.class_names import ClassNames, published_names
from analysis.models.layers import ConvLayer
from dashboard.library import CLASSES
from dashboard.pictures import labels_of, readable, rows_of

FEW = 2
"""Classes that stand for what a channel's strongest images show."""


def class_names(atlas: Atlas) -> ClassNames | None:
    """The names of the model's classes: those of the images where they are as many, else those that its net is known
    for; None where nobody knows. For models with one head."""
    classes = () if atlas.probe is None else atlas.probe.classes
    if list(atlas.model.heads.values()) == [len(classes)]:
        return ClassNames(_readable(classes), "assumed: the images' classes in the order of the outputs")
    return published_names(atlas.model)


def unit_names(atlas: Atlas, layer: ConvLayer) -> ClassNames | None:
    """Names for all units of a head, or of a conv layer whose every channel is one class of it; None for others."""
    known = class_names(atlas)
    if known is None or layer.kind == CLASSES:
        return known
    if layer.out_channels != len(known.names) or not _is_the_head(atlas, layer):
        return None
    return ClassNames(known.names, f"that of the class that it alone feeds, {known.evidence}")


def _is_the_head(atlas: Atlas, layer: ConvLayer) -> bool:
    """Whether the model's only head reads channel n of this layer as class n, and nothing else."""
    wires = atlas.circuits(next(iter(atlas.model.heads)))
    if wires is None or len(wires) != layer.out_channels:
        return False
    return bool((wires["layer"] == layer.name).all() and (wires["other"] == wires["channel"]).all())


def word_for(layer: ConvLayer) -> str:
    """What a unit of the layer is called: class, channel."""
    return "class" if layer.kind == CLASSES else "channel"


def unit_called(atlas: Atlas, layer: ConvLayer, channel: int) -> str:
    """“channel 17”; “class 208, Labrador retriever” where the name of what it stands for is known."""
    named = unit_names(atlas, layer)
    return f"{word_for(layer)} {channel}" + (f", {named.names[channel]}" if named else "")


def name_of_class(atlas: Atlas, number: int) -> str:
    """Empty where it is not known."""
    known = class_names(atlas)
    return known.names[number] if known and 0 <= number < len(known.names) else ""


def names_of(atlas: Atlas, layer: ConvLayer, channels: Collection[int]) -> dict[int, str]:
    """Channel → the name of its class, or the classes of which most of its strongest images are; left out where
    neither is known."""
    named = unit_names(atlas, layer)
    if named:
        return {channel: named.names[channel] for channel in channels}
    exemplars = atlas.exemplars(layer.name)
    if exemplars is None:
        return {}
    counts: dict[int, Counter[str]] = {}
    for channel in channels:
        rows = rows_of(exemplars, channel)
        labels = labels_of(rows[rows["kind"] == "top"])
        counts[channel] = Counter(label for label in labels if label)
    said = {channel: [name for name, n in each.most_common(FEW) if n > 1] for channel, each in counts.items()}
    return {channel: ", ".join(names) for channel, names in said.items() if names}


@cache
def _readable(classes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(readable, classes))
