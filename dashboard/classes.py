"""Names for units: what a class is called, what the strongest images of a channel show."""

from __future__ import annotations

from collections import Counter

from analysis.atlas.atlas import Atlas
from analysis.models.class_names import ClassNames, published_names
from analysis.models.layers import ConvLayer
from dashboard.library import CLASSES
from dashboard.pictures import labels_of, readable

FEW = 2
"""Classes that stand for what a channel's strongest images show."""


def class_names(atlas: Atlas) -> ClassNames | None:
    """The names of the model's classes: those of the images where they are as many, else those that its net is known
    for; None where nobody knows. For models with one head."""
    classes = () if atlas.probe is None else atlas.probe.classes
    if list(atlas.model.heads.values()) == [len(classes)]:
        names = tuple(readable(name) for name in classes)
        return ClassNames(names, "assumed: the images' classes in the order of the outputs")
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


def name_of_class(atlas: Atlas, number: int) -> str:
    """Empty where it is not known."""
    known = class_names(atlas)
    return known.names[number] if known and 0 <= number < len(known.names) else ""


def unit_name(atlas: Atlas, layer: ConvLayer, channel: int) -> str:
    """The name of its class, or the classes of which most of a channel's strongest images are; may be empty."""
    named = unit_names(atlas, layer)
    if named:
        return named.names[channel]
    exemplars = atlas.exemplars(layer.name)
    if exemplars is None:
        return ""
    rows = exemplars[(exemplars["channel"] == channel) & (exemplars["kind"] == "top")]
    counts = Counter(label for label in labels_of(rows) if label)
    return ", ".join(name for name, count in counts.most_common(FEW) if count > 1)
