"""What a model file is known by; loads no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path


def content_hash(path: Path, side_files: Sequence[str] = ()) -> str:
    """sha256 of a file, and of the files beside it that it keeps weights in."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    for name in side_files:
        with (path.parent / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
