"""`strata verify`: is everything there that was made, and is it what was made?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from analysis.atlas.artifacts import SEAL, folder_of
from analysis.atlas.atlas import Atlas
from analysis.atlas.files import remove
from analysis.atlas.library import Library
from analysis.atlas.lost_plans import plan_again, unplanned
from analysis.atlas.settled import settled
from analysis.encoding import from_json
from analysis.errors import StrataError
from analysis.models.content import content_hash
from analysis.task import Task

NOT_THERE = "is not there"


@dataclass(frozen=True)
class Damage:
    """path: what is damaged or missing, below the library · what: how · aside: what to remove so that a build makes
    it again, None where nothing is in the way."""

    path: str
    what: str
    aside: Path | None = None


def verify(library: Library, atlas: Atlas) -> Iterator[Damage]:
    """Everything that is wrong with an atlas: manifest, plans, artifacts against their checksums, the model's file.

    An artifact that is planned and not there is named, whether it was lost or not made yet.
    """
    here = f"atlases/{atlas.id}"
    try:
        _ = atlas.manifest
    except StrataError as error:
        yield Damage(f"{here}/atlas.json", str(error))
        return
    damaged = atlas.damaged_plans()
    for path in damaged:
        yield Damage(f"{here}/builds/{path.name}", "is no plan any more; what it planned is kept", path)
    yield from _artifacts(atlas, atlas.tasks() + (unplanned(atlas) if damaged else []), here)
    yield from model_damage(library, atlas)


def set_aside(atlas: Atlas, damages: list[Damage]) -> int:
    """Remove what is damaged, so that the next build makes it again; returns how many things that were.

    What only a damaged plan named is planned again first, else it would be of no plan, and `strata gc` would free it.
    """
    aside = {damage.aside for damage in damages if damage.aside is not None}
    if aside.intersection(atlas.damaged_plans()):
        plan_again(atlas)
    for path in aside:
        remove(path)
    return len(aside)


def _artifacts(atlas: Atlas, tasks: Sequence[Task], here: str) -> Iterator[Damage]:
    made = atlas.artifacts.made(tasks)
    done = settled(tasks, made)
    for task in tasks:
        folder = folder_of(task)
        if task.key in made:
            for name, what in faults(atlas.root / folder):
                yield Damage(f"{here}/{folder}/{name}", what, atlas.root / folder)
        elif task.key not in done and atlas.artifacts.failure(task) is None:
            yield Damage(f"{here}/{folder}", NOT_THERE)


def faults(folder: Path) -> Iterator[tuple[str, str]]:
    """(file, what is wrong with it) of the sealed artifact in a folder, on disk or in a bundle."""
    try:
        sums = from_json((folder / SEAL).read_bytes()).get("files", {})
    except (ValueError, AttributeError):
        yield SEAL, "can not be read"
        return
    for name, facts in sums.items():
        try:
            content = (folder / PurePosixPath(name).name).read_bytes()
        except OSError:
            yield name, NOT_THERE
            continue
        if len(content) != facts["size"]:
            yield name, f"has {len(content):,} bytes of {facts['size']:,}"
        elif hashlib.sha256(content).hexdigest() != facts["sha256"]:
            yield name, "is not what was written"


def model_damage(library: Library, atlas: Atlas) -> Iterator[Damage]:
    """Whether the model's file is there, and is the one that the atlas was made of."""
    here = f"models/{atlas.model.id}"
    try:
        card, file = library.model(atlas.model.id)
        found = content_hash(file, card.side_files)
    except (StrataError, OSError, ValueError, KeyError):
        yield Damage(here, "is not there; build from the original file to have it again")
        return
    if found != atlas.model.sha256:
        yield Damage(f"{here}/{file.name}", "is not the file that was opened; build from the original again", file)
