"""Another map beside a layer's own: which one, how its channels belong to these, and how it is turned to lie alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analysis.atlas.artifacts import folder_of
from analysis.atlas.atlas import Atlas
from analysis.comparison.align import Fit, align
from analysis.comparison.pairs import pair_layers, shape_of
from analysis.comparison.partners import partners, same_numbers
from analysis.encoding import from_npz
from analysis.models.layers import ConvLayer
from dashboard.library import NotThere, find_atlas, find_layer
from dashboard.maps import MAP, Places
from dashboard.state import View

BY_NUMBER, BY_ANSWERS = "number", "answers"


@dataclass(frozen=True)
class Other:
    """The map beside: `address` is what stands in the URL."""

    atlas: Atlas
    layer: ConvLayer
    address: str


def find_other(here: View, atlas: Atlas, layer: ConvLayer) -> Other | None:
    """`other` in the address: a layer of this atlas, `<atlas>` for its counterpart in another, or `<atlas>/<layer>`.
    None where there is none. Raises NotThere, offering the nearest."""
    if not here.other:
        return None
    own = {each.name: each for each in atlas.model.layers}
    if here.other in own:
        return Other(atlas, own[here.other], here.other)
    name, _, wanted = here.other.partition("/")
    alone = here.at(other="")
    try:
        there = find_atlas(here.at(atlas=name), page="map")
        if wanted:
            found = find_layer(View(atlas=there.id, layer=wanted), there.model, page="map")
            return Other(there, found, here.other)
    except NotThere as error:
        raise NotThere(str(error), "map", alone) from None
    counterpart = counterpart_of(layer, atlas, there)
    if counterpart is None:
        raise NotThere(f"{there.model.name} has no counterpart of {layer.name}.", "map", alone)
    return Other(there, counterpart, here.other)


def counterpart_of(layer: ConvLayer, atlas: Atlas, other: Atlas) -> ConvLayer | None:
    """The layer of another model that is this one (analysis/comparison/pairs.py)."""
    pairs = {pair.a: pair.b for pair in pair_layers(atlas.model.layers, other.model.layers) if pair.a}
    found = pairs.get(layer.name)
    return None if found is None else other.model.layer(found)


@dataclass(frozen=True)
class Side:
    """How the other map lies beside this one.

    how     : BY_NUMBER, channel n is channel n; BY_ANSWERS, those that answer the same images alike; "" where neither
              is known
    partner : channel of this → channel of the other
    fit     : the other's places turned onto this one's layout
    """

    how: str
    partner: dict[int, int]
    fit: Fit


def side_by_side(atlas: Atlas, layer: ConvLayer, other: Other, a: Places, b: Places) -> Side:
    """Checkpoints of one net share their channels' numbers, unless their answers to the same images say otherwise; all
    else is matched by these answers."""
    answers = _answers(atlas, layer.name, other, _folder(atlas, layer.name), _folder(other.atlas, other.layer.name))
    counterparts = other.atlas.id != atlas.id and shape_of(layer) == shape_of(other.layer)
    if counterparts and (answers is None or answers.same_numbers):
        numbers = np.intersect1d(a.channels, b.channels)
        return _side(BY_NUMBER, a, b, np.column_stack([numbers, numbers]))
    if answers is None:
        return Side("", {}, align(a.places, b.places, np.zeros((0, 2), int)))
    return _side(BY_ANSWERS, a, b, answers.pairs)


def _side(how: str, a: Places, b: Places, pairs: np.ndarray) -> Side:
    rows_a, rows_b = (dict(zip(each.channels.tolist(), range(len(each.channels)), strict=True)) for each in (a, b))
    both = [(int(x), int(y)) for x, y in pairs if int(x) in rows_a and int(y) in rows_b]
    rows = np.array([(rows_a[x], rows_b[y]) for x, y in both], int).reshape(-1, 2)
    return Side(how, dict(both), align(a.places, b.places, rows))


def _folder(atlas: Atlas, layer: str) -> str | None:
    """Where the answers lie that the layer's map was made with; None for a map of before they were kept."""
    done = [task for task in atlas.tasks(MAP, layer) if task.version >= 2 and atlas.artifacts.has(task)]
    return folder_of(done[-1]) if done else None


@dataclass(frozen=True)
class _Answers:
    """pairs [k, 2]: channels of both that answer alike · same_numbers: whether channel n is channel n."""

    pairs: np.ndarray
    same_numbers: bool


@lru_cache(maxsize=32)
def _answers(atlas: Atlas, layer: str, other: Other, own_folder: str | None, its_folder: str | None) -> _Answers | None:
    """None where the images are not the same, or the answers not known."""
    a, b = atlas.probe, other.atlas.probe
    if a is None or b is None or a.hash != b.hash or own_folder is None or its_folder is None:
        return None
    first, second = (
        from_npz((each.root / folder / "answers.npz").read_bytes())
        for each, folder in ((atlas, own_folder), (other.atlas, its_folder))
    )
    _, rows_a, rows_b = np.intersect1d(first["images"], second["images"], return_indices=True)
    means_a, means_b = first["means"][rows_a], second["means"][rows_b]
    pairs = partners(means_a, means_b)[["first", "second"]].to_numpy(int)
    return _Answers(pairs, same_numbers(means_a, means_b))


def about(side: Side, other: Other) -> str:
    """What a person reads of how the two lie."""
    fit = side.fit
    if not side.how:
        return (
            "Which channel belongs to which is not known: the two were not measured on the same images, or the maps "
            "are of an older Strata. The second map lies as it came."
        )
    pairs = "Channel n of one is channel n of the other" if side.how == BY_NUMBER else "Channels that answer alike"
    counted = f"{pairs} ({fit.pairs:,} pairs)."
    if fit.pairs < 3:
        return f"{counted} These are too few to turn one map onto the other."
    measured = f"it explains {fit.explained:.0%} of the first one's layout, pairs shuffled at random {fit.chance:.0%}"
    if fit.sure:
        return f"{counted} The second map is turned, mirrored and scaled as a whole (Procrustes): {measured}."
    return f"{counted} The second map is turned onto the first, but does not lie like it: {measured}."


def all_places(a: Places, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Both layouts in one unit square: the same turn and stretch for both."""
    both = np.concatenate([a.places, side.fit.places])
    low, high = both.min(axis=0), both.max(axis=0)
    square = (both - low) / np.where(high > low, high - low, 1)
    return square[: len(a.places)], square[len(a.places) :]
