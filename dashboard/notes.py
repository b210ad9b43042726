"""Below a channel's picture: which classes drive it, its twin, its weights. What is not known is left out."""

from __future__ import annotations

from functools import lru_cache

from analysis.atlas.atlas import Atlas
from analysis.models.layers import ConvLayer
from dashboard.address import link
from dashboard.classes import unit_called, unit_names
from dashboard.components.unit import Bar, Neighbour, Note, Row
from dashboard.layers import GridFacts, made_by_now
from dashboard.likeness import Alike, Sets, against_it, like_it
from dashboard.measures import written
from dashboard.pictures import Sheets, Tile, readable, rows_of
from dashboard.state import View

ALIKE = 0.3
"""Below this |correlation| a twin is a stranger, and nothing is said of it."""
KERNELS = "kernels.webp"


def notes_of(atlas: Atlas, layer: ConvLayer, channel: int, facts: GridFacts, sheets: Sheets) -> list[Note]:
    found = (
        classes_of(facts, channel, site_of(atlas, layer)),
        twin_of(atlas, layer, channel, facts, sheets),
        weights_of(atlas, layer, channel, sheets),
    )
    return [note for note in found if note is not None]


def site_of(atlas: Atlas, layer: ConvLayer) -> str:
    """Where the means of a layer's classes were read, as the end of a sentence."""
    if atlas.model.is_head(layer.name):
        return "as the score that it is: no activation follows"
    facts = atlas.layer_facts("statistics", layer.name) or {}
    if facts.get("joined"):
        return "before it is added to the other branch"
    return "after the activation" if facts.get("activation") else "at its own output: no activation follows"


def classes_of(facts: GridFacts, channel: int, site: str) -> Note | None:
    """The classes with the greatest mean answer, of those above 0; None without labels, and where nothing drives it."""
    if "classes" not in facts.table or "class_means" not in facts.table:
        return None
    names, means = facts.table["classes"].iloc[channel], facts.table["class_means"].iloc[channel]
    if not hasattr(names, "__len__") or not len(names):
        return None
    most = float(means[0])
    if not most > 0:
        return None
    bars = [
        Bar(readable(str(name)), written(float(mean)), float(mean) / most)
        for name, mean in zip(names, means, strict=True)
        if mean > 0
    ]
    return Note("Classes that drive it", f"Its mean answer to the images of each, {site}.", bars=bars)


def twin_of(atlas: Atlas, layer: ConvLayer, channel: int, facts: GridFacts, sheets: Sheets) -> Note | None:
    """The channel that answers most like this one, or most against it; None where none does."""
    if "twin" not in facts.table or "twin_correlation" not in facts.table:
        return None
    twin, correlation = (float(facts.table[name].iloc[channel]) for name in ("twin", "twin_correlation"))
    if not (twin >= 0 and abs(correlation) >= ALIKE):
        return None
    other = int(twin)
    how = "Closest to it" if correlation > 0 else "Opposite to it"
    return Note(
        f"{how}: {unit_called(atlas, layer, other)}",
        f"Their answers correlate by {correlation:+.2f}.".replace("-", "−"),
        _tile(other, facts, sheets),
        step=other - channel,
        href=link("channel", View(atlas=atlas.id, layer=layer.name, channel=other)),
    )


def neighbours_of(atlas: Atlas, layer: ConvLayer, channel: int, facts: GridFacts, sheets: Sheets) -> list[Row]:
    """The channels that answer to the same images, and those that answer to what silences this one."""
    same, opposite = _alike(atlas, layer.name, channel)

    def row(title: str, about: str, found: list[Alike]) -> Row:
        return Row(title, about, [_neighbour(atlas, layer, channel, each, facts, sheets) for each in found])

    like = row("Answer to the same images", "Beyond chance: whose strongest images are its own.", same)
    against = row("Answer to what silences it", "Whose strongest images are its weakest.", opposite)
    return [each for each in (like, against) if each.items]


def _alike(atlas: Atlas, layer: str, channel: int) -> tuple[list[Alike], list[Alike]]:
    sets, images = _sets(atlas, layer, made_by_now(atlas, layer)), 0 if atlas.probe is None else atlas.probe.count
    if sets is None:
        return [], []
    return like_it(sets, channel, images), against_it(sets, channel, images)


@lru_cache(maxsize=256)
def _sets(atlas: Atlas, layer: str, _made_by_now: tuple[str, ...]) -> Sets | None:
    exemplars = atlas.exemplars(layer)
    return None if exemplars is None else Sets.of(exemplars)


def _neighbour(
    atlas: Atlas, layer: ConvLayer, channel: int, alike: Alike, facts: GridFacts, sheets: Sheets
) -> Neighbour:
    tile = _tile(alike.channel, facts, sheets)
    place = link("channel", View(atlas=atlas.id, layer=layer.name, channel=alike.channel))
    named = unit_names(atlas, layer)
    label = named.names[alike.channel] if named else str(alike.channel)
    return Neighbour(label, tile, f"{alike.shared} of {alike.of}", alike.channel - channel, place)


def _tile(channel: int, facts: GridFacts, sheets: Sheets) -> Tile | None:
    """Its picture, else its strongest real image."""
    tile = facts.pictures.picture.get(channel) or next(iter(facts.pictures.examples.get(channel, [])), None)
    return None if tile is None else sheets.take(tile, facts.sheets)


def weights_of(atlas: Atlas, layer: ConvLayer, channel: int, sheets: Sheets) -> Note | None:
    """The filter itself, where it has a picture: on one or three input channels."""
    weights = atlas.weights(layer.name)
    row = None if weights is None else next(iter(rows_of(weights, channel).to_dict("records")), None)
    if row is None or not atlas.path(f"{row['folder']}/{KERNELS}").is_file():
        return None
    about = "Its weights as a picture: mid-grey is 0."
    return Note("Its filter", about, (sheets.number(atlas, str(row["folder"]), KERNELS), channel), sharp=True)
