"""A dream as a job: one task on a worker that leaves its pictures, octave by octave, in the job's folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import encoding
from analysis.atlas.files import place, write_atomically
from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.plan import parse_values
from analysis.jobs.request import DreamRequest
from analysis.jobs.worker import StopSign, open_model_of, single_threaded
from analysis.technique import Cancelled

if TYPE_CHECKING:
    from torch import Tensor

    from analysis.models.model import Model

LARGEST = 1600
"""Longest side of a dream in px; larger images are made smaller first."""
TELL_EVERY = 0.3
"""Seconds between two reports."""
STEPS = 1000
"""A dream's progress is told in thousandths."""
Tell = Callable[[float, str], None]


def dream_task(library_root: str, job_id: str, request: DreamRequest) -> bool:
    """Dream; True when it came to its end, False when the job was cancelled. Runs on a worker.

    Leaves in the library's `dreams/<job>`: original.png, octave-<n>.webp as they come, final.png; for a strip
    strip-<n>.webp, one a layer; progress.json while it runs and facts.json at the end.
    """
    single_threaded()
    library = Library(library_root)
    folder = library.dream_folder(job_id)
    model = open_model_of(library_root, request.model)
    image = read_image(place(request.image), model.card.input.channels)
    write_atomically(folder / "original.png", _png(image))
    stop = StopSign(library.job_folder(job_id) / "cancel")
    try:
        (_strip if request.strip else _one)(model, image, request, folder, teller(folder, stop))
    except Cancelled:
        return False
    return True


def read_image(file: Path, channels: int) -> Tensor:
    """An image file → [1, channels, H, W] in [0, 1], upright, at most 1,600 px. Raises StrataError for what is none."""
    import numpy as np
    import torch
    from PIL import Image

    from analysis.probe.picture import Undecodable, decode_bytes
    from analysis.probe.prepare import with_channels

    try:
        decoded = decode_bytes(file.read_bytes(), file.name)
    except OSError as error:
        raise StrataError(f"The image {file} can not be read ({error.strerror}). Give another one.") from error
    except Undecodable as error:
        raise StrataError(f"{file.name} is not an image that can be read: {error}. Give another one.") from error
    if isinstance(decoded, Image.Image):
        decoded.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
        pixels = np.asarray(decoded.convert("L" if channels == 1 else "RGB"), np.float32) / 255
        planes = pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1)
    else:
        planes = decoded
    return torch.from_numpy(with_channels(planes, channels, file.name).copy())[None]


def read_progress(folder: Path) -> dict[str, Any]:
    """The columns of the job table that say how far the dream in `folder` is."""
    try:
        row: dict[str, Any] = encoding.from_json((folder / "progress.json").read_bytes())
    except FileNotFoundError:
        return {}
    return row


def _one(model: Model, image: Tensor, request: DreamRequest, folder: Path, tell: Tell) -> None:
    from analysis.dream.dream import dream
    from analysis.dream.parameters import DreamParameters

    parameters = parse_values("A dream", DreamParameters, request.parameters)
    files: list[str] = []
    for frame in dream(model, image, request.layer, request.channel, parameters):
        tell(frame.fraction, f"octave {frame.octave + 1} of {frame.octaves}")
        if frame.step == parameters.steps - 1:
            files.append(f"octave-{frame.octave}.webp")
            write_atomically(folder / files[-1], _webp(frame.image))
    write_atomically(folder / "final.png", _png(frame.image))
    facts = {"layer": request.layer, "channel": request.channel, "files": files, "parameters": parameters.model_dump()}
    write_atomically(folder / "facts.json", encoding.to_json(facts))


def _strip(model: Model, image: Tensor, request: DreamRequest, folder: Path, tell: Tell) -> None:
    from analysis.dream.dream import dream, five_layers
    from analysis.dream.parameters import DreamParameters

    parameters = parse_values("A dream", DreamParameters, request.parameters)
    layers = five_layers(model.card)
    files: list[str] = []
    for number, layer in enumerate(layers):
        for frame in dream(model, image, layer, None, parameters):
            tell((number + frame.fraction) / len(layers), f"{layer}, {number + 1} of {len(layers)}")
        files.append(f"strip-{number}.webp")
        write_atomically(folder / files[-1], _webp(frame.image))
    write_atomically(folder / "final.png", _png(frame.image))
    facts = {"layers": layers, "files": files, "parameters": parameters.model_dump()}
    write_atomically(folder / "facts.json", encoding.to_json(facts))


def teller(folder: Path, stop: StopSign) -> Tell:
    """What is called after every step: writes how far it is now and then; raises Cancelled when asked to stop."""
    told = 0.0

    def tell(fraction: float, note: str) -> None:
        nonlocal told
        stop.look()
        if fraction >= 1 or time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            row = {"done": round(fraction * STEPS), "total": STEPS, "note": note}
            write_atomically(folder / "progress.json", encoding.to_json(row))

    return tell


def _png(image: Tensor) -> bytes:
    from analysis.features.files import in_three_colors

    return encoding.to_picture(in_three_colors(image[0]), "png")


def _webp(image: Tensor) -> bytes:
    from analysis.features.files import in_three_colors

    return encoding.to_picture(in_three_colors(image[0]), quality=90)
