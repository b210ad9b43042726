"""One image looked at as a job: one task on a worker, which leaves what it finds in the library piece by piece.

What it finds belongs to the image and what it was looked at with, not to the job: the folder is named by the hash of
both, so the same image asked for again is there at once, and a job that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.atlas.files import fingerprint, place, write_atomically
from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.dreaming import Tell, teller
from analysis.jobs.request import LookRequest
from analysis.jobs.worker import StopSign, open_model_of, probe_of, single_threaded
from analysis.models.model import ModelCard
from analysis.technique import Cancelled

if TYPE_CHECKING:
    from torch import Tensor

    from analysis.features.prior import Prior
    from analysis.looking.look import Answer, Seen
    from analysis.models.input_spec import InputSpec
    from analysis.models.layers import ConvLayer
    from analysis.models.model import Model
    from analysis.probe.probe import Probe

VERSION = 2
"""Part of a look's name; raised when its results change."""
FACTS, IMAGE = "facts.json", "image.webp"
SIDE = 112
"""Side of a heat map, px; it covers the whole image."""
SHOWN = 448
"""Short side that the image is shown at, px."""
MOST_DRAWN = 12
"""Layers of which a caricature is drawn unasked."""


@dataclass(frozen=True)
class Subject:
    """The image: what it is called, its number in the probe, its class; None where there is none."""

    name: str
    number: int | None = None
    label: str | None = None


def look_key(library: Library, request: LookRequest) -> str:
    """The name of a look: 32 hexadecimal digits over the model, the image, and the statistics that it is judged by.

    Raises StrataError where the model, the atlas or the image is not there.
    """
    card, _file = library.model(request.model)
    atlas = None if request.atlas is None else library.atlas(request.atlas)
    facts = [VERSION, card.sha256, card.input.to_json(), _image_key(request, atlas), _measured_by(atlas)]
    return hashlib.sha256(encoding.to_json(facts)).hexdigest()[:32]


def _image_key(request: LookRequest, atlas: Atlas | None) -> str:
    if request.image is not None:
        file = place(request.image)
        try:
            return _content_hash(file, fingerprint(file))
        except OSError as error:
            raise StrataError(f"There is no image {file.name}. Bring it again, or another one.") from error
    if atlas is None or atlas.probe is None or request.number is None:
        raise StrataError("This asks for an image of a probe that there is not. Bring an image of your own.")
    if not 0 <= request.number < atlas.probe.count:
        raise StrataError(
            f"The atlas was measured on the images 0 to {atlas.probe.count - 1}, not {request.number}. "
            "Choose one of them."
        )
    return f"{atlas.probe.hash}:{request.number}"


@lru_cache(maxsize=256)
def _content_hash(file: Path, _written: Any) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _measured_by(atlas: Atlas | None) -> list[str]:
    """What z is worked out with, and what pictures begin from: other statistics, another look."""
    if atlas is None:
        return []
    tasks = atlas.tasks("statistics") + atlas.tasks("prior")
    return [atlas.id, *sorted(atlas.artifacts.made(tasks))]


def look_task(library_root: str, job_id: str, request: LookRequest) -> bool:
    """Look; True when it came to its end, False when the job was cancelled. Runs on a worker.

    Leaves in the library's `looks/<key>` (docs/atlas-format.md): the image, what is answered and by which channels,
    their heat maps; then a caricature a layer, one after the other.
    """
    single_threaded()
    library = Library(library_root)
    folder = library.look_folder(look_key(library, request))
    stop = StopSign(library.job_folder(job_id) / "cancel")
    tell = teller(library.job_folder(job_id), stop)
    try:
        tell(0.0, "opening the model")
        model = open_model_of(library_root, request.model)
        atlas = None if request.atlas is None else library.atlas(request.atlas)
        probe, number = _opened(library_root, request, atlas)
        image = probe.batch([number], model.card.input)
        if not (folder / FACTS).exists():
            tell(0.0, "looking")
            _leave_seen(folder, model, image, atlas, probe, number, request)
        _leave_caricatures(folder, model, image, atlas, request, tell)
    except Cancelled:
        return False
    return True


def caricature_file(card: ModelCard, layer: str) -> str:
    """The file of a layer's caricature in a look's folder; beside it a .json of what it reached."""
    return f"caricature-{_number(card, layer):04d}.webp"


def heat_file(card: ModelCard, layer: str) -> str:
    """The sheet of a layer's heat maps in a look's folder, one of SIDE px a channel, side by side."""
    return f"heat-{_number(card, layer):04d}.webp"


def _number(card: ModelCard, layer: str) -> int:
    return [each.name for each in card.layers].index(layer)


def _opened(library_root: str, request: LookRequest, atlas: Atlas | None) -> tuple[Probe, int]:
    """The probe that holds the image, and its number there; a file by itself is a probe of one image."""
    from analysis.probe import open_probe

    if request.image is not None:
        return open_probe(str(place(request.image))), 0
    assert atlas is not None
    assert request.number is not None
    return probe_of(library_root, atlas.id), request.number


def _leave_seen(
    folder: Path,
    model: Model,
    image: Tensor,
    atlas: Atlas | None,
    probe: Probe,
    number: int,
    request: LookRequest,
) -> None:
    from analysis.features.files import in_three_colors
    from analysis.looking.look import look

    card = model.card
    seen = look(model, image)
    large = probe.batch([number], _enlarged(card.input))[0]
    write_atomically(folder / IMAGE, encoding.to_picture(in_three_colors(large), quality=90))
    layers = [_layer(folder, card, layer, seen, atlas) for layer in card.layers if layer.name in seen.layers]
    facts = {
        "model": card.id,
        "atlas": None if atlas is None else atlas.id,
        "subject": asdict(_subject(probe, number, request)),
        "size": [card.input.height, card.input.width],
        "heads": {head: _named(answers, card.heads.get(head), atlas) for head, answers in seen.heads.items()},
        "layers": layers,
        "tile": SIDE,
    }
    write_atomically(folder / FACTS, encoding.to_json(facts))


def _enlarged(spec: InputSpec) -> InputSpec:
    """The same cut of the image at a size that a person sees something in."""
    scale = max(1.0, SHOWN / min(spec.height, spec.width))
    return replace(spec, height=round(spec.height * scale), width=round(spec.width * scale))


def _subject(probe: Probe, number: int, request: LookRequest) -> Subject:
    from analysis.exemplars.cut import class_name

    if request.image is not None:
        return Subject(place(request.image).name)
    return Subject(probe.names[number], number, class_name(probe, number))


def _named(answers: Sequence[Answer], units: int | None, atlas: Atlas | None) -> list[dict[str, Any]]:
    """Classes have names where the probe has as many as the head."""
    classes = () if atlas is None or atlas.probe is None else atlas.probe.classes
    named = classes if len(classes) == units else ()
    return [asdict(each) | {"name": named[each.number] if named else None} for each in answers]


def _layer(folder: Path, card: ModelCard, layer: ConvLayer, seen: Seen, atlas: Atlas | None) -> dict[str, Any]:
    import numpy as np

    from analysis.looking.heat import over_image, shades
    from analysis.looking.look import strongest

    response = seen.layers[layer.name]
    pooled = card.has_a_channel_a_class(layer.name)
    statistics = None if atlas is None or pooled else atlas.statistics(layer.name)
    found = strongest(response, statistics, pooled=pooled)
    if found:
        maps = response.through[[each.channel for each in found]]
        tiles, _reach = shades(over_image(maps, layer, (card.input.height, card.input.width), SIDE))
        sheet = np.concatenate(list(tiles), axis=1)
        write_atomically(folder / heat_file(card, layer.name), encoding.to_picture(sheet, quality=90))
    return {"name": layer.name, "channels": [asdict(each) for each in found], "measured": statistics is not None}


def _leave_caricatures(
    folder: Path, model: Model, image: Tensor, atlas: Atlas | None, request: LookRequest, tell: Tell
) -> None:
    from analysis.features.files import in_three_colors
    from analysis.looking.caricature import caricature
    from analysis.statistics.following import follows_of

    card = model.card
    wanted = request.layers or layers_to_draw(card)
    missing = [layer for layer in wanted if not (folder / caricature_file(card, layer)).exists()]
    if not missing:
        return
    prior, follows = _prior(card, atlas), follows_of(model)
    for number, layer in enumerate(missing):

        def report(share: float, number: int = number, layer: str = layer) -> None:
            note = f"what {layer} kept, {number + 1} of {len(missing)}"
            tell((number + share) / len(missing), note)

        made = caricature(model, layer, image, prior, follows[layer], report=report)
        file = folder / caricature_file(card, layer)
        reached = {"cosine": made.cosine, "untouched": made.untouched}
        write_atomically(file.with_suffix(".json"), encoding.to_json(reached))
        write_atomically(file, encoding.to_picture(in_three_colors(made.picture), quality=90))


def layers_to_draw(card: ModelCard) -> list[str]:
    """Layers of which a caricature is drawn unasked: those that see more than one position at once, evenly over the
    depth where they are many, and the last."""
    flat = [layer for layer in card.layers if layer.kind.endswith("2d")]
    wide = [layer for layer in flat if max(layer.kernel_size) > 1]
    chosen = [layer.name for layer in flat if (layer in wide if len(wide) >= 3 else True) or layer is flat[-1]]
    if len(chosen) <= MOST_DRAWN:
        return chosen
    return [chosen[round(number * (len(chosen) - 1) / (MOST_DRAWN - 1))] for number in range(MOST_DRAWN)]


def _prior(card: ModelCard, atlas: Atlas | None) -> Prior:
    """What pictures look like: as the atlas's images do, where it knows; else as photos do."""
    from analysis.features.prior import Prior, prior_without_images

    made = [task for task in atlas.tasks("prior") if atlas.artifacts.has(task)] if atlas is not None else []
    if atlas is not None and made:
        return Prior.from_arrays(encoding.from_npz(atlas.artifacts.read(made[-1])["prior.npz"]))
    return prior_without_images(card.input.channels, card.input.height, card.input.width)
