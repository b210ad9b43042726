"""Below a channel's picture: which classes drive it, its twin, its weights. What is not known is left out."""

from __future__ import annotations

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.address import link
from dashboard.components.unit import Bar, Note
from dashboard.layers import GridFacts
from dashboard.measures import written
from dashboard.pictures import Sheets, readable
from dashboard.state import View

ALIKE = 0.3
"""Below this |correlation| a twin is a stranger, and nothing is said of it."""
KERNELS = "kernels.webp"


def notes_of(atlas: Atlas, layer: ConvLayer, channel: int, facts: GridFacts, sheets: Sheets) -> list[Note]:
    found = (
        classes_of(facts, channel),
        twin_of(atlas, layer, channel, facts, sheets),
        weights_of(atlas, layer, channel, sheets),
    )
    return [note for note in found if note is not None]


def classes_of(facts: GridFacts, channel: int) -> Note | None:
    """The classes with the greatest mean answer; None without labels, and where nothing drives it."""
    if "classes" not in facts.table or "class_means" not in facts.table:
        return None
    names, means = facts.table["classes"].iloc[channel], facts.table["class_means"].iloc[channel]
    if not hasattr(names, "__len__") or not len(names):
        return None
    most = float(means[0])
    if not most > 0:
        return None
    bars = [
        Bar(readable(str(name)), written(float(mean)), max(0.0, float(mean)) / most)
        for name, mean in zip(names, means, strict=True)
    ]
    return Note("Classes that drive it", "Its mean answer to the images of each, after the activation.", bars=bars)


def twin_of(atlas: Atlas, layer: ConvLayer, channel: int, facts: GridFacts, sheets: Sheets) -> Note | None:
    """The channel that answers most like this one, or most against it; None where none does."""
    if "twin" not in facts.table or "twin_correlation" not in facts.table:
        return None
    twin, correlation = (float(facts.table[name].iloc[channel]) for name in ("twin", "twin_correlation"))
    if not (twin >= 0 and abs(correlation) >= ALIKE):
        return None
    other = int(twin)
    tile = facts.pictures.picture.get(other) or next(iter(facts.pictures.examples.get(other, [])), None)
    how = "Closest to it" if correlation > 0 else "Opposite to it"
    return Note(
        f"{how}: channel {other}",
        f"Their answers correlate by {correlation:+.2f}.".replace("-", "−"),
        None if tile is None else sheets.take(tile, facts.sheets),
        step=other - channel,
        href=link("channel", View(atlas=atlas.id, layer=layer.name, channel=other)),
    )


def weights_of(atlas: Atlas, layer: ConvLayer, channel: int, sheets: Sheets) -> Note | None:
    """The filter itself, where it has a picture: on one or three input channels."""
    weights = atlas.weights(layer.name)
    row = None if weights is None else next(iter(weights[weights["channel"] == channel].to_dict("records")), None)
    if row is None or not atlas.path(f"{row['folder']}/{KERNELS}").is_file():
        return None
    about = "Its weights as a picture: mid-grey is 0."
    return Note("Its filter", about, (sheets.number(atlas, str(row["folder"]), KERNELS), channel), sharp=True)
