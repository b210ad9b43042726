"""A zip of images becomes a folder of images; nothing else in it is written, and nothing outside of the folder."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from analysis.amounts import in_bytes
from analysis.errors import StrataError
from analysis.probe.folder import CLASS_FILES
from analysis.probe.picture import is_image_name

SPARE = 512 * 2**20
"""Bytes of the disk that nothing brought from a browser takes."""
MOST_IMAGES = 2_000_000
GROWTH = 60
"""Times its own size that a zip may unpack to: images hardly shrink, bombs do."""


def unpacked(folder: Path) -> None:
    """Replace the only file of `folder` by what it holds, where it is a zip; leave any other file as it is.

    Raises StrataError for a zip without images, a damaged one and one that unpacks to more than it should.
    """
    (file,) = folder.iterdir()
    if file.suffix.lower() == ".npz" or not zipfile.is_zipfile(file):
        return
    target = folder / f".{file.stem}"
    try:
        with zipfile.ZipFile(file) as archive:
            _unpack(archive, target, GROWTH * file.stat().st_size)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise StrataError(
            f"{file.name} can not be unpacked ({error}). Make the zip anew, without a password."
        ) from error
    file.unlink()
    target.rename(folder / (file.stem.lstrip(".") or "images"))


def _unpack(archive: zipfile.ZipFile, target: Path, room: int) -> None:
    wanted = [info for info in archive.infolist() if not info.is_dir() and _is_wanted(info.filename)]
    if not any(is_image_name(info.filename) for info in wanted):
        raise StrataError("This zip holds no images. Zip a folder of image files; one folder a class gives labels.")
    size = sum(info.file_size for info in wanted)
    if len(wanted) > MOST_IMAGES or size > room:
        raise StrataError("This zip unpacks to many times its size. Zip the image files themselves.")
    if size + SPARE > shutil.disk_usage(target.parent).free:
        raise StrataError(
            f"There is no room for the {in_bytes(size)} in this zip. Bring fewer images, or free some space."
        )
    for info in wanted:
        path = target.joinpath(*_parts(info.filename))
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, path.open("wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)


def _is_wanted(name: str) -> bool:
    return bool(_parts(name)) and (is_image_name(name) or PurePosixPath(name).name in CLASS_FILES)


def _parts(name: str) -> list[str]:
    """The parts of a path in a zip that may be one on disk: none that leads up or away."""
    return [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
