"""What the dream page says of a dream, and which layer it begins with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from analysis.encoding import from_json
from analysis.jobs.table import Job
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard
from dashboard.components.viewer import Frame
from dashboard.library import find_atlas, find_layer, library
from dashboard.state import View

MIDDLE = 0.6
"""How deep the first suggestion lies: shallow layers draw strokes, the deepest ones fragments."""
PHOTOS = "photos"
"""Name of the sample that was trained on photos: what it draws looks like the world."""


def best_first(cards: Sequence[ModelCard]) -> list[ModelCard]:
    """Models to dream with: one that learned from photos first, the others as they stood."""
    return sorted(cards, key=lambda card: card.name != PHOTOS)


def dreamable(card: ModelCard) -> list[ConvLayer]:
    return [layer for layer in card.layers if layer.kind == "Conv2d"]


def good_layer(card: ModelCard) -> ConvLayer | None:
    """A layer in the middle that sees more than one position at once."""
    layers = dreamable(card)
    wide = [layer for layer in layers if max(layer.kernel_size) > 1] or layers
    return wide[round(MIDDLE * (len(wide) - 1))] if wide else None


def known_model(view: View, models: Mapping[str, ModelCard]) -> str:
    """The model that an address names, itself or by one of its atlases; empty where it names none.

    Raises NotThere for an atlas or a layer that is not there.
    """
    if not view.atlas:
        return ""
    known = view.atlas if view.atlas in models else find_atlas(view, "dream").model.id
    if view.layer and known in models:
        find_layer(view, models[known], "dream")
    return known


def address(job: Job, name: str) -> str:
    return f"/dreams/{quote(job.id)}/{quote(name)}"


def frames_of(job: Job) -> list[Frame]:
    """The pictures there are by now, in the order in which they come."""
    folder = library().dream_folder(job.id)
    kind = "strip" if job.request.get("strip") else "octave"
    files = sorted(folder.glob(f"{kind}-*.webp"), key=_number)
    if kind == "strip":
        layers = _facts(folder).get("layers", [])
        names = dict(enumerate(layers))
        return [
            Frame(address(job, file.name), names.get(_number(file), f"layer {_number(file) + 1} of 5"))
            for file in files
        ]
    return [Frame(address(job, file.name), f"octave {_number(file) + 1}") for file in files]


def original_of(job: Job) -> str | None:
    there = (library().dream_folder(job.id) / "original.png").is_file()
    return address(job, "original.png") if there else None


def download_of(job: Job) -> str | None:
    there = job.state == "done" and (library().dream_folder(job.id) / "final.png").is_file()
    return address(job, "final.png") + "?download" if there else None


def _number(file: Path) -> int:
    found = re.search(r"-(\d+)\.", file.name)
    return int(found[1]) if found else 0


def _facts(folder: Path) -> dict[str, list[str]]:
    try:
        return dict(from_json((folder / "facts.json").read_bytes()))
    except FileNotFoundError:
        return {}
