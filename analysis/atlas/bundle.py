"""An atlas as one .zip with everything: exported here, imported elsewhere."""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.atlas.artifacts import SEAL
from analysis.atlas.atlas import BUILDS, FORMAT, MANIFEST, Atlas, build_name, next_number
from analysis.atlas.files import below, files_below, remove, told, write_atomically
from analysis.atlas.library import CARD, UNOPENED, Library
from analysis.atlas.verify import faults, model_damage
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError
from analysis.models.content import content_hash
from analysis.models.model import ModelCard

BUNDLE = "strata.json"
LARGEST = 64 * 2**30
"""Bytes that a bundle may unpack to."""


def export_atlas(library: Library, atlas: Atlas, out: Path) -> str | None:
    """Write an atlas, its model's file and card to `out`. The same atlas gives the same bytes.

    A model's file that is gone, or is another one now, stays behind; returns what is wrong with it, None where it came.
    """
    if not out.parent.is_dir():
        raise StrataError(f"The folder {out.parent} does not exist. Make it first.")
    model_id = atlas.model.id
    rooms = {f"atlases/{atlas.id}": atlas.root, f"models/{model_id}": library.root / "models" / model_id}
    damage = next(model_damage(library, atlas), None)
    if damage is not None:
        del rooms[f"models/{model_id}"]
    draft = out.with_name(f".{out.name}-{uuid.uuid4().hex[:8]}")
    try:
        with told(out), zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
            head = {"format": FORMAT, "atlas": atlas.id, "model": model_id}
            archive.writestr(zipfile.ZipInfo(BUNDLE), to_json(head))
            for room, root in rooms.items():
                for name in sorted(files_below(root)):
                    if not any(part.startswith(".") for part in PurePosixPath(name).parts):
                        _add(archive, f"{room}/{name}", root / name)
        os.replace(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    return None if damage is None else f"{damage.path} {damage.what}"


def import_atlas(library: Library, file: Path) -> Atlas:
    """Put a bundle's atlas and model into the library; what is there and whole stays.

    A bundle is hostile until shown otherwise: nothing is written outside of its atlas's and its model's folder, nothing
    that is not what its seal or its card says. A model that ran code of its own where it came from may not do so here,
    and is opened in a guarded process before any worker opens it (analysis/jobs/worker.py). Raises StrataError for what
    is no bundle, is damaged or comes from a newer Strata.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            head = _head(archive, file)
            _check(archive, head, file)
            _check_seals(archive, file)
            _check_model(library, archive, head, file)
            return _unpack(library, archive, head)
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, KeyError, RuntimeError) as error:
        raise StrataError(f"{file.name} can not be imported ({error}). Export it again.") from error


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    facts = zipfile.ZipInfo(name)  # without the time, which would make each export another file
    facts.file_size = path.stat().st_size
    with path.open("rb") as source, archive.open(facts, "w") as target:
        while piece := source.read(2**20):
            target.write(piece)


def _head(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        head = from_json(archive.read(BUNDLE))
        written_by = int(head["format"])
        for name in ("atlas", "model"):
            if str(head[name]) != PurePosixPath(str(head[name])).name or str(head[name]).startswith("."):
                raise ValueError(head[name])
    except (KeyError, ValueError, TypeError) as error:
        raise StrataError(f"{file.name} is no bundle of Strata's. Make one with `strata export`.") from error
    if written_by > FORMAT:
        raise StrataError(
            f"{file.name} was exported by a newer Strata (its format is {written_by}, this one reads {FORMAT}). "
            "Update Strata to import it."
        )
    return dict(head)


def _check(archive: zipfile.ZipFile, head: Mapping[str, Any], file: Path) -> None:
    """Names that stay in the two folders, sizes that can be, contents as they were packed; before a byte is written."""
    rooms = (PurePosixPath("atlases", head["atlas"]), PurePosixPath("models", head["model"]))
    size = 0
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        inside = any(path.is_relative_to(room) and path != room for room in rooms) or member.filename == BUNDLE
        harmless = not any(part.startswith(".") for part in path.parts) and "\\" not in member.filename
        if not inside or not harmless or member.external_attr >> 16 & 0o170000 == 0o120000:
            raise StrataError(f"{file.name} holds “{member.filename}”, which belongs to no atlas. Do not trust it.")
        size += member.file_size
    if size > LARGEST:
        raise StrataError(f"{file.name} unpacks to {size / 2**30:.0f} GiB. Import at most {LARGEST // 2**30} GiB.")
    damaged = archive.testzip()
    if damaged is not None:
        raise StrataError(f"{file.name} is damaged: {damaged} is not what was packed. Export it again.")


def _check_seals(archive: zipfile.ZipFile, file: Path) -> None:
    """Every artifact is what was sealed."""
    packed: Any = zipfile.Path(archive)
    for folder in _sealed(archive):
        for name, what in faults(packed / folder):
            raise StrataError(
                f"{file.name} is damaged: {folder}/{name} {what}. Run `strata verify` where it comes from, build the "
                "atlas again and export it again."
            )


def _check_model(library: Library, archive: zipfile.ZipFile, head: Mapping[str, Any], file: Path) -> None:
    """The model's file is the one that the atlas was made of, and no other one of its name is here."""
    packed: Any = zipfile.Path(archive)
    model_id, sha256 = head["model"], _manifest(archive, head)["model"]["sha256"]
    folder = packed / f"models/{model_id}"
    if (folder / CARD).exists():
        kept = from_json((folder / CARD).read_bytes())
        card = ModelCard.from_json(kept["card"])
        if {content_hash(folder / kept["file"], card.side_files), card.sha256} != {sha256} or card.id != model_id:
            raise StrataError(f"The model in {file.name} is not the one its atlas was made of. Do not trust it.")
    for here in below(library.root / "models" / model_id, CARD):
        if from_json(here.read_bytes())["card"]["sha256"] != sha256:
            raise StrataError(
                f"{file.name} was made of another model than the {model_id} of this library. Import it into a library "
                "of its own."
            )


def _manifest(archive: zipfile.ZipFile, head: Mapping[str, Any]) -> dict[str, Any]:
    return dict(from_json(archive.read(f"atlases/{head['atlas']}/{MANIFEST}")))


def _sealed(archive: zipfile.ZipFile) -> list[str]:
    """The folders of a bundle's artifacts."""
    return [name.removesuffix(f"/{SEAL}") for name in archive.namelist() if name.endswith(f"/{SEAL}")]


def _unpack(library: Library, archive: zipfile.ZipFile, head: Mapping[str, Any]) -> Atlas:
    """Contents first, then seals, then plans, the manifest last: a reader sees an atlas or none.

    What there is stays: a note may have been written anew, a model allowed to run code of its own. An artifact that is
    not whole here gives way to the bundle's.
    """
    root = library.root / "atlases" / head["atlas"]
    manifest, card = f"atlases/{head['atlas']}/{MANIFEST}", f"models/{head['model']}/{CARD}"
    names = sorted(name for name in archive.namelist() if name not in (BUNDLE, manifest) and not name.endswith("/"))
    plans = [name for name in names if name.startswith(f"atlases/{head['atlas']}/builds/")]
    for folder in _sealed(archive):
        if not _is_whole(library.root / folder):
            remove(library.root / folder)
    rooms = (f"atlases/{head['atlas']}", f"models/{head['model']}")
    there = {f"{room}/{name}" for room in rooms for name in files_below(library.root / room)}
    if card in set(names) - there:
        write_atomically(library.root / "models" / head["model"] / UNOPENED, b"")
    for name in sorted(set(names) - set(plans) - there, key=lambda name: (name.endswith(f"/{SEAL}"), name)):
        content = archive.read(name)
        write_atomically(library.root / name, _untrusted(content, "card") if name == card else content)
    _add_plans(root, [archive.read(plan) for plan in plans])
    if manifest not in there:
        write_atomically(library.root / manifest, _untrusted(archive.read(manifest), "model"))
    return library.atlas(head["atlas"])


def _is_whole(folder: Path) -> bool:
    return (folder / SEAL).exists() and not any(faults(folder))


def _add_plans(root: Path, plans: list[bytes]) -> None:
    """The bundle's plans that the atlas does not have, after those that it has."""
    there = [path.read_bytes() for path in below(root, BUILDS)]
    for number, plan in enumerate((plan for plan in plans if plan not in there), start=next_number(root)):
        write_atomically(root / "builds" / f"{build_name(number, plan)}.json", plan)


def _untrusted(content: bytes, card: str) -> bytes:
    """A JSON file without the right to run code that the model card in it may have been given elsewhere."""
    facts = from_json(content)
    facts[card]["options"] = {name: value for name, value in facts[card].get("options", {}).items() if name != "trust"}
    return to_json(facts)
