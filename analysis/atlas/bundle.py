"""An atlas as one .zip with everything: exported here, imported elsewhere."""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.atlas.artifacts import SEAL
from analysis.atlas.atlas import FORMAT, MANIFEST, Atlas, build_name
from analysis.atlas.files import below, files_below, told, write_atomically
from analysis.atlas.library import Library
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError

BUNDLE = "strata.json"
LARGEST = 64 * 2**30
"""Bytes that a bundle may unpack to."""


def export_atlas(library: Library, atlas: Atlas, out: Path) -> None:
    """Write an atlas, its model's file and card to `out`. The same atlas gives the same bytes."""
    if not out.parent.is_dir():
        raise StrataError(f"The folder {out.parent} does not exist. Make it first.")
    model_id = atlas.model.id
    rooms = {f"atlases/{atlas.id}": atlas.root, f"models/{model_id}": library.root / "models" / model_id}
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


def import_atlas(library: Library, file: Path) -> Atlas:
    """Put a bundle's atlas and model into the library; what is there already stays.

    A bundle is hostile until shown otherwise: nothing is written outside of its atlas's and its model's folder, and a
    model that ran code of its own where it came from is not allowed to here. Raises StrataError for what is no
    bundle, is damaged or comes from a newer Strata.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            head = _head(archive, file)
            _check(archive, head, file)
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


def _unpack(library: Library, archive: zipfile.ZipFile, head: Mapping[str, Any]) -> Atlas:
    """Contents first, then seals, then plans, the manifest last: a reader sees an atlas or none."""
    root = library.root / "atlases" / head["atlas"]
    manifest, card = f"atlases/{head['atlas']}/{MANIFEST}", f"models/{head['model']}/card.json"
    names = sorted(name for name in archive.namelist() if name not in (BUNDLE, manifest) and not name.endswith("/"))
    plans = [name for name in names if name.startswith(f"atlases/{head['atlas']}/builds/")]
    whole = {name.rpartition("/")[0] for name in names if name.endswith(f"/{SEAL}") and (library.root / name).exists()}
    for name in sorted(set(names) - set(plans), key=lambda name: (name.endswith(f"/{SEAL}"), name)):
        if name.rpartition("/")[0] not in whole and not (name == card and (library.root / card).exists()):
            content = archive.read(name)
            write_atomically(library.root / name, _untrusted(content, "card") if name == card else content)
    _add_plans(root, [archive.read(plan) for plan in plans])
    if not (library.root / manifest).exists():
        write_atomically(library.root / manifest, _untrusted(archive.read(manifest), "model"))
    return library.atlas(head["atlas"])


def _add_plans(root: Path, plans: list[bytes]) -> None:
    """The bundle's plans that the atlas does not have, after those that it has."""
    there = [path.read_bytes() for path in below(root, "builds/*.json")]
    for number, plan in enumerate((plan for plan in plans if plan not in there), start=len(there)):
        write_atomically(root / "builds" / f"{build_name(number, plan)}.json", plan)


def _untrusted(content: bytes, card: str) -> bytes:
    """A JSON file without the right to run code that the model card in it may have been given elsewhere."""
    facts = from_json(content)
    facts[card]["options"] = {name: value for name, value in facts[card].get("options", {}).items() if name != "trust"}
    return to_json(facts)
