"""A tar of image files, compressed or not: read where it lies, nothing is unpacked."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from analysis.probe.errors import ProbeError
from analysis.probe.labels import CLASS_FILES, labels_from_paths, readable_names
from analysis.probe.picture import decode_bytes, is_image_name
from analysis.probe.source import Source


def open_tar(path: Path) -> Source:
    """Every regular member that is named like an image, in the order of their names. Raises ProbeError."""
    try:
        archive = tarfile.open(path)  # noqa: SIM115 -- stays open as long as the probe lives
        members = {member.name.removeprefix("./"): member for member in archive if member.isfile()}
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise ProbeError(f"{path.name} is no whole tar archive ({problem}). Get it again, or unpack it.") from problem
    names = sorted(name for name in members if is_image_name(name))
    if not names:
        raise ProbeError(f"The archive {path.name} holds no images. Give one with image files in it.")

    def read(name: str) -> bytes:
        file = archive.extractfile(members[name])
        assert file is not None, "regular members only"
        return file.read()

    labels, classes = labels_from_paths(names)
    beside = [name for name in members if PurePosixPath(name).name in CLASS_FILES]
    if classes and beside:  # of several the one nearest to the top
        shallowest = min(beside, key=lambda name: (name.count("/"), name))
        classes = readable_names(classes, read(shallowest).decode("utf-8", "replace").splitlines())
    return Source(
        names=tuple(names),
        labels=labels,
        classes=classes,
        content=lambda index: read(names[index]),
        decode=lambda index: decode_bytes(read(names[index]), names[index]),
    )
