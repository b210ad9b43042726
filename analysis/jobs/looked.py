"""What was found in one image, read from its folder: by the dashboard, and by the command line that prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from analysis.atlas.artifacts import file_name
from analysis.atlas.library import Library
from analysis.encoding import from_json
from analysis.jobs.looking import FACTS, IMAGE, caricature_file, heat_file
from analysis.models.model import ModelCard

VIRIDIS = ((68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121),
           (109, 205, 89), (180, 222, 44), (253, 231, 37))  # fmt: skip
"""Ten even steps of matplotlib's scale, which the colour-blind can read; in components/browser/heat.js too."""
OPAQUE = 0.8
"""How much a heat map hides of the image where the channel answers most, falling as the root of that; nothing where it
does not answer."""
DIM = 0.3
"""How much darker the image is under it, so that the map can be told from what is bright in the image itself."""
FLOOR = 6
"""Shades of 255 that are not told from none: a compressed sheet is off by as much."""
NAMED = 3
"""Channels a layer that the command line names and draws."""


@dataclass(frozen=True)
class Look:
    """facts: `facts.json`, as docs/atlas-format.md says it."""

    key: str
    folder: Path
    card: ModelCard
    facts: Mapping[str, Any]

    def caricature(self, layer: str) -> str | None:
        """The file of what a layer kept; None while it is not drawn."""
        name = caricature_file(self.card, layer)
        return name if (self.folder / name).is_file() else None

    def reached(self, layer: str) -> dict[str, float]:
        """How much a drawn caricature answers like the image: `cosine`, and `untouched` before it was begun."""
        return dict(from_json((self.folder / caricature_file(self.card, layer)).with_suffix(".json").read_bytes()))


def read_look(library: Library, key: str) -> Look | None:
    """None while nothing was found yet."""
    folder = library.look_folder(key)
    try:
        facts: dict[str, Any] = dict(from_json((folder / FACTS).read_bytes()))
    except FileNotFoundError:
        return None
    return Look(key, folder, library.model(facts["model"])[0], facts)


def answers_table(found: Look) -> list[pd.DataFrame]:
    """A table a head: its best classes."""
    return [
        pd.DataFrame(
            {
                head: [str(each["number"]) if each["name"] is None else each["name"] for each in answers],
                "share": [f"{100 * each['share']:.1f} %" for each in answers],
                "logit": [each["logit"] for each in answers],
            }
        )
        for head, answers in found.facts["heads"].items()
    ]


def channels_table(found: Look) -> pd.DataFrame:
    """A row a layer: the channels that answer most, and how like the image what it kept is."""
    rows = []
    for layer in found.facts["layers"]:
        told = [f"{each['channel']} ({_strength(each)})" for each in layer["channels"][:NAMED]]
        drawn = found.caricature(layer["name"]) is not None
        kept = found.reached(layer["name"])["cosine"] if drawn else float("nan")
        rows.append({"layer": layer["name"], "answer most": ", ".join(told) or "nothing", "kept (cosine)": kept})
    return pd.DataFrame(rows)


def _strength(channel: Mapping[str, Any]) -> str:
    return f"{channel['high']:.3g}" if channel["z"] is None else f"{channel['z']:+.1f} σ"


def save_pictures(found: Look, out: Path) -> None:
    """Into the folder `out`: image.png; of each layer `<layer>.png`, what it kept, where that is drawn, and
    `<layer>-<channel>.png`, the image under the heat map of each of its first channels."""
    out.mkdir(parents=True, exist_ok=True)
    image = Image.open(found.folder / IMAGE).convert("RGB")
    image.save(out / "image.png")
    side = found.facts["tile"]
    for layer in found.facts["layers"]:
        drawn = found.caricature(layer["name"])
        if drawn is not None:
            Image.open(found.folder / drawn).save(out / f"{file_name(layer['name'])}.png")
        if not layer["channels"]:
            continue
        sheet = Image.open(found.folder / heat_file(found.card, layer["name"])).convert("L")
        for place, each in enumerate(layer["channels"][:NAMED]):
            heat = sheet.crop((place * side, 0, (place + 1) * side, side))
            heated(image, heat).save(out / f"{file_name(layer['name'])}-{each['channel']}.png")


def heated(image: Image.Image, heat: Image.Image) -> Image.Image:
    """An RGB image under a heat map (mode L) that covers it."""
    shades = np.asarray(heat.resize(image.size, Image.Resampling.BILINEAR), np.float32)
    share = np.maximum(0, shades - FLOOR) / (255 - FLOOR)
    steps = np.linspace(0, 1, len(VIRIDIS))
    colours = np.stack([np.interp(share, steps, [colour[plane] for colour in VIRIDIS]) for plane in range(3)], -1)
    alpha = OPAQUE * np.sqrt(share[..., None])
    mixed = np.asarray(image, np.float32) * (1 - DIM) * (1 - alpha) + colours * alpha
    return Image.fromarray(np.round(mixed).astype(np.uint8))
