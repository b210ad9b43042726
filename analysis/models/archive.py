"""A program's archive, written anew with nothing in it but what was looked at.

Torch and Python read the same zip differently: torch finds a record whatever the case of its name, takes the first of
two of one name, and knows names from years ago. So torch is never given the file itself: it is given this.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from analysis.models.checkpoint import check_archive
from analysis.models.errors import ModelError


def records_of(path: Path, known: re.Pattern[str], compressed: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The records whose whole names are `known`, in the file's order; the others are left out.

    compressed : what the names may begin with, below the root folder, of records that are packed
    Raises ModelError for damage, and for names that torch would take for one another.
    """
    check_archive(path, compressed)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len({entry.filename.casefold() for entry in entries}) < len(entries):
            raise ModelError(f"{path.name} holds two records of one name. Get it from a source that you trust.")
        return {entry.filename: archive.read(entry) for entry in entries if known.fullmatch(entry.filename)}


def zipped(records: Mapping[str, bytes]) -> io.BytesIO:
    """An archive of these records, for torch to read."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer
