"""`strata delete` and `strata gc`: what goes, and what nothing refers to any more."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.atlas.artifacts import DRAFTS, folder_of
from analysis.atlas.atlas import MANIFEST, Atlas
from analysis.atlas.files import below, files_below, remove, written_at
from analysis.atlas.library import Library
from analysis.atlas.settled import settled
from analysis.encoding import from_json

YOUNG = 3600.0
"""Seconds for which nothing is freed after it was written: somebody may be about to refer to it."""


@dataclass(frozen=True)
class Garbage:
    """path: a file or folder that nothing refers to · why: for people · size: bytes."""

    path: Path
    why: str
    size: int


def delete(atlas: Atlas) -> None:
    """Remove an atlas; first its manifest, so that no reader meets half of one. The model's file stays for gc."""
    remove(atlas.root / MANIFEST)
    remove(atlas.root)


def garbage(
    library: Library,
    models: Collection[str],
    jobs: Collection[str],
    files: Collection[str],
    looks: Mapping[str, str] | None = None,
    young: float | None = None,
) -> Iterator[Garbage]:
    """What no atlas and no job refers to, and what was written for other tasks that are done.

    models, jobs, files : ids of models and jobs, and paths, that the job table refers to
    looks               : keys of looks that it refers to, and the path of each one's image, empty for one of a probe
    young               : seconds for which nothing is freed after it was written; YOUNG where not given
    """
    young = YOUNG if young is None else young
    for why, path in _candidates(library, models, jobs, files, looks or {}):
        if time.time() - written_at(path) >= young:
            yield Garbage(path, why, size_of(path))


def size_of(path: Path) -> int:
    """Bytes of a file or of all files below a folder."""
    return path.stat().st_size if path.is_file() else sum(files_below(path).values())


def _candidates(
    library: Library,
    models: Collection[str],
    jobs: Collection[str],
    files: Collection[str],
    looks: Mapping[str, str],
) -> Iterator[tuple[str, Path]]:
    atlases = library.all_atlases()
    readable = library.atlases()
    known = {atlas.id for atlas in atlases}
    for folder in below(library.root, "atlases/*"):
        if folder.name not in known:
            yield "the rest of an atlas that was deleted or never begun", folder
    for atlas in readable:
        yield from _of_atlas(atlas)
    if len(readable) == len(atlases):  # an atlas that can not be read does not tell which model it needs
        used = {atlas.model.id for atlas in readable} | set(models)
        for folder in below(library.root, "models/*"):
            if folder.name not in used:
                yield "a model without an atlas", folder
    for room in ("jobs", "dreams"):
        for folder in below(library.root, f"{room}/*"):
            if folder.name not in jobs:
                yield "of a job that is no more", folder
    shown = _shown(library, looks, known)
    for folder in below(library.root, "looks/*"):
        if folder.name not in shown:
            yield "a look at an image that no job refers to, or whose atlas or model is gone", folder
    if len(readable) == len(atlases):  # nor which images
        measured_on = {atlas.probe.source for atlas in readable if atlas.probe is not None}
        yield from _uploads(library, measured_on | {looks[key] for key in shown} | set(files))


def _shown(library: Library, looks: Collection[str], atlases: Collection[str]) -> set[str]:
    """The keys of the looks that a page can still show: with what they looked through there."""
    there = {*atlases, *(folder.name for folder in below(library.root, "models/*"))}
    folders = (folder for folder in below(library.root, "looks/*") if folder.name in looks)
    return {folder.name for folder in folders if _looked_through(folder) <= there}


def _looked_through(folder: Path) -> set[str]:
    """The ids of the model and the atlas that an image was looked at with; empty where that is not told yet."""
    try:
        facts = from_json((folder / "facts.json").read_bytes())
    except FileNotFoundError:
        return set()
    return {facts[name] for name in ("model", "atlas") if facts[name] is not None}


def _uploads(library: Library, files: Collection[str]) -> Iterator[tuple[str, Path]]:
    for path in below(library.root, "uploads/*"):
        if path.is_file() and str(path) not in files:
            yield "an image that no job waits for and no look is of", path
    for path in below(library.root, "uploads/images/*"):
        if not any(file == str(path) or file.startswith(f"{path}/") for file in files):
            yield "images that no atlas was measured on", path


def _of_atlas(atlas: Atlas) -> Iterator[tuple[str, Path]]:
    if atlas.damaged_plans() or atlas.last_build() is None:
        return  # what such an atlas needs is not known
    tasks = atlas.tasks()
    made = atlas.artifacts.made(tasks)
    useless = settled(tasks, made - {task.key for task in tasks if task.intermediate})
    planned = {folder_of(task): task for task in tasks}
    for folder in below(atlas.root, "*/*/*"):
        task = planned.get(folder.relative_to(atlas.root).as_posix())
        if task is None:
            yield "of no plan", folder
        elif task.key not in made:
            yield "half an artifact", folder
        elif task.intermediate and task.key in useless:
            yield "intermediate: all that is made of it is there", folder
    drafts = atlas.root / DRAFTS
    for draft in drafts.iterdir() if drafts.is_dir() else ():
        yield "a draft that was never finished", draft
    keys = {task.key for task in tasks} - made
    for file in below(atlas.root, "failures/*.json"):
        if file.stem not in keys:
            yield "the failure of what is there or not wanted any more", file
