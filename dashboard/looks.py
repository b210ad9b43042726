"""What the image page shows: which image, which model, and what was found by now."""

from __future__ import annotations

import io
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from PIL import Image

from analysis.atlas.atlas import Atlas
from analysis.encoding import from_npz
from analysis.errors import StrataError
from analysis.jobs.looked import Look
from analysis.jobs.looking import IMAGE as FILE
from analysis.jobs.looking import heat_file, layers_to_draw
from analysis.jobs.request import LookRequest
from analysis.jobs.table import Job
from analysis.models.model import ModelCard
from dashboard.address import link
from dashboard.components.gallery import Item
from dashboard.components.look import Answer, Channel, Head, Layer, Seen
from dashboard.layers import about_layer, layer_facts
from dashboard.library import NotThere, find_atlas, library, recent_jobs
from dashboard.pictures import Sheets, Tile, readable
from dashboard.state import View

SURE = 0.005
"""Shares are given to a tenth of a percent; one that rounds to nothing is “under 1 %”."""
LONGEST = 9
"""Digits of a number in an address."""
GALLERY = 60
"""Images of the probe that are shown to choose from."""


@dataclass(frozen=True)
class Place:
    """What an image is looked at with: a model, and its atlas where it has one."""

    card: ModelCard
    atlas: Atlas | None

    @property
    def id(self) -> str:
        return self.card.id if self.atlas is None else self.atlas.id


def places() -> list[Place]:
    """Every atlas, newest first, whose model can be run, then the models without one."""
    known = [Place(atlas.model, atlas) for atlas in library().atlases()]
    with_atlas = {place.card.id for place in known}
    alone = [Place(card, None) for card in library().models() if card.id not in with_atlas]
    return [place for place in (*known, *alone) if not place.card.weights_only]


def find_place(view: View) -> Place:
    """The place that an address names, by atlas or model. Raises NotThere, offering the nearest, for none."""
    for place in places():
        if view.atlas in (place.id, place.card.id):
            return place
    atlas = find_atlas(view, page="image")
    return Place(atlas.model, atlas)


def request_of(place: Place, image: str) -> LookRequest:
    """The job that looks at an image, `upload/<file>` or `probe/<number>`.

    Raises StrataError for one that is not there, NotThere with the nearest where a probe has no such number.
    """
    kind, _, name = image.partition("/")
    atlas = None if place.atlas is None else place.atlas.id
    if kind == "upload":
        path = library().root / "uploads" / name
        if not name or path.parent != library().root / "uploads" or not path.is_file():
            raise StrataError("This image is not in the library any more. Bring it again.")
        return LookRequest(model=place.card.id, atlas=atlas, image=str(path))
    if kind == "probe" and place.atlas is not None and place.atlas.probe is not None:
        count = place.atlas.probe.count
        number = int(name) if name.isdecimal() and len(name) <= LONGEST else None
        if number is not None and number < count:
            return LookRequest(model=place.card.id, atlas=atlas, number=number)
        offer = View(atlas=place.id, image=f"probe/{0 if number is None else count - 1}")
        raise NotThere(f"This atlas was measured on images 0 to {count - 1}, not {name[:40]}.", "image", offer)
    raise StrataError(f"The address names no image: “{image}”. Choose one on this page.")


def jobs_for(request: LookRequest) -> list[Job]:
    """The jobs that looked, or look, at this image, newest first, whichever layers' caricatures they were asked for."""
    wanted = _same(request.model_dump(mode="json"))
    return [job for job in recent_jobs() if job.kind == "look" and _same(job.request) == wanted]


def _same(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "layers"}


@dataclass(frozen=True)
class Known:
    """What an atlas knows of an image of its probe before anybody looks at it; empty where it does not.

    label : its class · said: what it was called, and how surely
    """

    label: str
    said: str
    picture: Image.Image | None


def known_of(place: Place, image: str) -> Known | None:
    """None for an image that is not of the atlas's probe."""
    kind, _, name = image.partition("/")
    atlas = place.atlas
    if kind != "probe" or atlas is None or atlas.probe is None or not name.isdecimal():
        return None
    item = _item(atlas, int(name), _predictions(atlas))
    images = atlas.images()
    rows = [] if images is None else images[images["image"] == int(name)].to_dict("records")
    row = next(iter(rows), None)
    label = item.title if item.title != _untitled(int(name)) else ""
    if not label and row is not None and not pd.isna(row["label"]):
        label = readable(str(row["label"]))
    return Known(label, item.about, None if row is None else _thumbnail(atlas, row))


def _thumbnail(atlas: Atlas, row: Mapping[Hashable, Any]) -> Image.Image:
    side, columns = (int(atlas.facts(str(row["folder"]))[name]) for name in ("tile", "columns"))
    left, top = int(row["tile"]) % columns * side, int(row["tile"]) // columns * side
    sheet = Image.open(io.BytesIO(atlas.path(f"{row['folder']}/sheet-{int(row['sheet'])}.webp").read_bytes()))
    return sheet.crop((left, top, left + side, top + side))


def title_of(found: Look | None, image: str, known: Known | None = None) -> str:
    """What it is, where that is known."""
    kind, _, name = image.partition("/")
    label = None if found is None else found.facts["subject"]["label"]
    if label is not None:
        return readable(str(label)).capitalize()
    if known is not None and known.label:
        return known.label.capitalize()
    return f"Image {name} of the probe" if kind == "probe" else "An image of yours"


def about(found: Look | None, image: str, known: Known | None = None) -> str:
    """One line: where it is from, and what the model says it is."""
    if found is None:
        where = [f"image {image.partition('/')[2]} of the probe"] if known and known.label else []
        return " · ".join([*where, *([known.said] if known and known.said else [])])
    subject = found.facts["subject"]
    parts = [] if subject["number"] is None else [f"image {subject['number']} of the probe"]
    for answers in list(found.facts["heads"].values())[:1]:
        best = answers[0]
        if best["name"] is not None and best["name"] == subject["label"]:
            parts.append(f"rightly named, {_percent(best['share'])} sure")
        else:
            parts.append(f"called {_class_name(best)}, {_percent(best['share'])} sure")
    return " · ".join(parts)


def seen_as(found: Look) -> str:
    height, width = found.facts["size"]
    return f"As the model sees it, cut to {height}×{width} px"


def file_address(found: Look, name: str) -> str:
    return f"/looks/{quote(found.key)}/{quote(name)}"


def seen_of(found: Look, place: Place, drawing: bool) -> Seen:
    """Everything the component shows. drawing: whether a job is still at work on caricatures."""
    label = found.facts["subject"]["label"]
    heads = [Head(name, _answers(name, answers, label, place)) for name, answers in found.facts["heads"].items()]
    sheets = Sheets()
    unasked = set(layers_to_draw(found.card)) if drawing else set()
    layers = [_layer(each, found, place, sheets, each["name"] in unasked) for each in found.facts["layers"]]
    return Seen(file_address(found, FILE), seen_as(found), heads, layers, sheets.atlas_sheets)


def _answers(head: str, answers: list[dict[str, Any]], label: str | None, place: Place) -> list[Answer]:
    measured = place.atlas is not None and place.atlas.exemplars(head) is not None
    return [
        Answer(
            _class_name(each),
            _percent(each["share"]),
            each["share"],
            label is not None and each["name"] == label,
            link("channel", View(atlas=place.id, layer=head, channel=each["number"])) if measured else "",
        )
        for each in answers
    ]


def _class_name(answer: Mapping[str, Any]) -> str:
    return f"class {answer['number']}" if answer["name"] is None else readable(str(answer["name"]))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= SURE else "under 1 %"


def _layer(facts: dict[str, Any], found: Look, place: Place, sheets: Sheets, coming: bool) -> Layer:
    name = facts["name"]
    layer = found.card.layer(name)
    known = None if place.atlas is None else layer_facts(place.atlas, layer)
    tiles: dict[int, Tile] = {}
    labels: dict[int, str] = {}
    if known is not None:
        labels = known.pictures.labels
        for each in facts["channels"]:
            channel = each["channel"]
            tile = known.pictures.picture.get(channel) or next(iter(known.pictures.examples.get(channel, [])), None)
            if tile is not None:
                tiles[channel] = sheets.take(tile, known.sheets)
    heat = len(sheets.atlas_sheets)
    side, count = found.facts["tile"], len(facts["channels"])
    if count:
        url = file_address(found, heat_file(found.card, name))
        sheets.atlas_sheets.append({"url": url, "width": side, "height": side, "columns": count})
    drawn = found.caricature(name)
    where = View(atlas=place.id, layer=name)
    return Layer(
        name,
        about_layer(layer),
        link("layer", where) if place.atlas is not None else "",
        file_address(found, drawn) if drawn else "",
        _kept(found, name) if drawn else "",
        coming and drawn is None,
        _how(facts, found),
        [
            Channel(
                each["channel"],
                _value(each, found.card.has_a_channel_a_class(name)),
                labels.get(each["channel"], ""),
                tiles.get(each["channel"]),
                (heat, number),
                link("channel", where.at(channel=each["channel"])) if place.atlas is not None else "",
            )
            for number, each in enumerate(facts["channels"])
        ],
    )


def _value(channel: dict[str, Any], pooled: bool) -> str:
    if channel["z"] is not None:
        return f"{channel['z']:+.1f} σ"
    return f"{channel['mean' if pooled else 'high']:.3g}"


def _how(facts: dict[str, Any], found: Look) -> str:
    if not facts["channels"]:
        return "No channel of this layer lets anything of this image through."
    if found.card.has_a_channel_a_class(facts["name"]):
        return "This layer has a channel for each class; those of the greatest mean, which make the answer."
    if facts["measured"]:
        return "Channels that answer most, in deviations of their peak over the probe's images."
    return "Channels of the greatest response; without an atlas it is not known which of them is unusual."


def _kept(found: Look, layer: str) -> str:
    reached = found.reached(layer)
    return (
        "Made of this layer's response alone. The layer's answer to it resembles that to the image by "
        f"{reached['cosine']:.2f}: 1 is the same, 0 nothing alike."
    )


def gallery_of(atlas: Atlas, wrong: bool) -> list[Item]:
    """Images of the probe to choose from: those called something else, the surest first; or all, evenly apart."""
    answers = _predictions(atlas)
    if wrong:
        return [] if answers is None else [_item(atlas, each, answers) for each in _mistaken(answers)[:GALLERY]]
    assert atlas.probe is not None
    chosen = np.unique(np.linspace(0, atlas.probe.count - 1, min(GALLERY, atlas.probe.count)).astype(int))
    return [_item(atlas, int(image), answers) for image in chosen]


def mistaken(atlas: Atlas) -> int | None:
    """How many of the probe's images the model calls something else than their label; None where that is not known."""
    answers = _predictions(atlas)
    return None if answers is None else len(_mistaken(answers))


def _mistaken(answers: Mapping[str, np.ndarray]) -> list[int]:
    wrong = (answers["labels"] >= 0) & (answers["labels"] != answers["predicted"])
    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(-answers["score"][rows], kind="stable")]
    return [int(image) for image in answers["images"][rows]]


def _predictions(atlas: Atlas) -> dict[str, np.ndarray] | None:
    """What the model answered on each image of the probe, where the probe's classes are the model's."""
    made = [task for task in atlas.tasks("outputs") if atlas.artifacts.has(task)]
    artifact = atlas.artifacts.read(made[-1]) if made else {}
    if "answers.npz" not in artifact or atlas.probe is None:
        return None
    answers = from_npz(artifact["answers.npz"])
    return answers if int(answers["outputs"]) == len(atlas.probe.classes) else None


def _untitled(image: int) -> str:
    return f"Image {image}"


def _item(atlas: Atlas, image: int, answers: Mapping[str, np.ndarray] | None) -> Item:
    title, said = _untitled(image), ""
    if answers is not None and atlas.probe is not None:
        row = int(np.searchsorted(answers["images"], image))
        classes = atlas.probe.classes
        said = f"called {readable(classes[int(answers['predicted'][row])])}, {_percent(float(answers['score'][row]))}"
        if answers["labels"][row] >= 0:
            title = readable(classes[int(answers["labels"][row])])
    return Item(f"probe/{image}", link("image", View(atlas=atlas.id, image=f"probe/{image}")), title, said)


def tiles_of(atlas: Atlas, items: list[Item], sheets: Sheets) -> list[Tile | None]:
    """The small image of each item, where some exemplar's sheet holds it."""
    images = atlas.images()
    if images is None:
        return [None] * len(items)
    rows = {int(row["image"]): row for row in images.to_dict("records")}
    found: list[Tile | None] = []
    for item in items:
        row = rows.get(int(item.key.partition("/")[2]))
        sheet = None if row is None else sheets.number(atlas, row["folder"], f"sheet-{int(row['sheet'])}.webp")
        found.append(None if row is None or sheet is None else (sheet, int(row["tile"])))
    return found
