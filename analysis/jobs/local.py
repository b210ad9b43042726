"""Jobs asked for on the command line: filed, run on a cluster of this process's own, shown on a progress bar."""

from __future__ import annotations

import getpass
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from analysis.atlas.atlas import Atlas, Render
from analysis.atlas.library import Library
from analysis.console import watching
from analysis.errors import StrataError
from analysis.jobs.check import check_channel, check_dream, check_layers, check_techniques
from analysis.jobs.cluster import Hands, cluster
from analysis.jobs.dreaming import read_image
from analysis.jobs.engine import BEAT, Engine
from analysis.jobs.looked import Look, read_look
from analysis.jobs.looking import look_key
from analysis.jobs.request import BuildRequest, DreamRequest, LookRequest, RenderRequest
from analysis.jobs.table import Job, Jobs, Kind
from analysis.models.model import ModelCard
from analysis.probe import open_probe
from analysis.probe.address import absolute


def writable(out: Path, folder: bool = False) -> None:
    """Raises StrataError where no file, or no folder of files, can be left at `out`: before the work, not after it."""
    try:
        if out.exists() and out.is_dir() != folder:
            what, wanted = ("file", "folder") if folder else ("folder", "file")
            raise StrataError(f"{out} is a {what}. Name a {wanted} with --out.")
        if not folder and not out.parent.is_dir():
            raise StrataError(f"The folder {out.parent} does not exist. Make it first.")
        there = next(each for each in (out, *out.parents) if each.exists())
        with there.open("ab") if there == out and not folder else tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise StrataError(f"{out} can not be written ({error.strerror}). Choose another place with --out.") from error


def build_here(library: Library, request: Mapping[str, Any], on: Hands) -> Job:
    """File a build and see it to its end. Raises StrataError for a request that is none."""
    return _run(library, "build", BuildRequest(**request).model_dump(mode="json"), on)


def dream_here(library: Library, request: Mapping[str, Any], out: Path) -> None:
    """Dream and leave the picture at `out`. Raises StrataError where it failed."""
    wanted = DreamRequest(**request)
    card, _file = library.model(wanted.model)
    check_dream(card, wanted.layer, wanted.channel, wanted.parameters)
    read_image(Path(wanted.image), card.input.channels)
    job = _run(library, "dream", wanted.model_dump(mode="json"), Hands(1))
    if job.state != "done":
        raise StrataError(job.error or "The dream was stopped. Run the same command again.")
    out.write_bytes((library.dream_folder(job.id) / "final.png").read_bytes())


def look_here(library: Library, request: Mapping[str, Any]) -> Look:
    """Look at an image; what was found. Raises StrataError where that failed."""
    wanted = LookRequest(**request)
    check_layers(library.model(wanted.model)[0], wanted.layers or ())
    key = look_key(library, wanted)  # says what is missing before anything is started
    job = _run(library, "look", wanted.model_dump(mode="json"), Hands(1))
    found = read_look(library, job.result.get("look", key))
    if job.state != "done" or found is None:
        raise StrataError(job.error or "The look was stopped. Run the same command to go on where it was.")
    return found


def render_here(library: Library, request: Mapping[str, Any]) -> Render:
    """Draw one unit; what was made. Raises StrataError where it failed."""
    wanted = RenderRequest(**request)
    check_channel(library.atlas(wanted.atlas).model, wanted.layer, wanted.channel)
    check_techniques({"renders": wanted.parameters})
    job = _run(library, "render", wanted.model_dump(mode="json"), Hands(1))
    if job.state != "done":
        raise StrataError(job.error or "The pictures were stopped. Run the same command again.")
    return library.atlas(job.result["atlas"]).renders(request["layer"], request["channel"])[0]


def save_faces(atlas: Atlas, made: Render, out: Path, kind: str = "") -> None:
    """The faces of a render side by side as a PNG. kind: "" for their colours, "alpha", "planes"."""
    assert made.folder is not None
    assert made.table is not None
    folder = atlas.path(made.folder)
    names = [f"face-{face}{f'-{kind}' if kind else ''}.webp" for face in made.table["face"]]
    faces = [Image.open(folder / name) for name in names]
    page = Image.new(faces[0].mode, (sum(face.width for face in faces), faces[0].height))
    for number, face in enumerate(faces):
        page.paste(face, (number * face.width, 0))
    page.save(out, "png")


def atlas_for(library: Library, card: ModelCard, images: str | Path | None) -> Atlas:
    """The atlas that pictures of a model go into: that of these images; without any, the newest there is, or one
    without images."""
    if images is not None:
        return library.create_atlas(card, open_probe(absolute(images), channels=card.input.channels).card)
    known = [atlas for atlas in library.atlases() if atlas.model.id == card.id]
    return known[0] if known else library.create_atlas(card, None)


def requested(
    only: str | None, possible: Sequence[str], features: Mapping[str, Any], settings: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Technique name → parameters, from the command line's options; `possible` are made where none are named."""
    chosen: dict[str, dict[str, Any]] = {name: {} for name in possible}
    if only is not None:
        chosen = {name.strip(): {} for name in only.split(",") if name.strip()}
        if "exemplars" in chosen:
            chosen["images"] = {}
    if "features" in chosen:
        chosen["features"].update({name: value for name, value in features.items() if value is not None})
    for name, value in assignments(settings).items():
        technique, dot, parameter = name.partition(".")
        if not dot:
            raise StrataError(f"“{name}” names no technique's parameter. Write technique.parameter=value.")
        chosen.setdefault(technique, {})[parameter] = value
    return chosen


def assignments(texts: Sequence[str]) -> dict[str, Any]:
    """`steps=32` → {"steps": 32}; the value is JSON where it can be, else text."""
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise StrataError(f"“{text}” sets nothing. Write name=value.")
        try:
            values[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            values[name.strip()] = value
    return values


def _run(library: Library, kind: Kind, request: Mapping[str, Any], on: Hands) -> Job:
    """File a job and run it here.

    Where another engine has it (a running `strata serve`), or takes it meanwhile, watch it there; take it up should
    that engine be lost.
    """
    jobs = Jobs(library.database_url)
    job = asked = jobs.submit(kind, request, _user())
    try:
        with watching() as watch:
            while not job.ended:
                mine = jobs.claim(asked.id)
                if mine is None:
                    time.sleep(BEAT)
                    job = jobs.get(asked.id)
                    watch(job)
                    continue
                with cluster(on.workers, on.scheduler, on.memory) as client:
                    job = Engine(library, client).run(mine, watch)
    except KeyboardInterrupt:
        jobs.leave(asked.id, _user())
        raise
    return job


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        return ""
