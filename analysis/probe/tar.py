"""A tar of image files, compressed or not: read where it lies, nothing is unpacked."""

from __future__ import annotations

import tarfile
from pathlib import Path

from analysis.probe.errors import ProbeError
from analysis.probe.labels import labels_from_paths
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
    labels, classes = labels_from_paths(names)

    def content(index: int) -> bytes:
        file = archive.extractfile(members[names[index]])
        assert file is not None, "regular members only"
        return file.read()

    return Source(tuple(names), labels, classes, content, lambda index: decode_bytes(content(index), names[index]))
