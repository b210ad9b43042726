"""Real models and images by other people: read where they lie, never copied into the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("STRATA_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def shared_file(relative: str) -> Path:
    """The path of a shared file or folder; skips the test, with the reason, on machines that lack it."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs the shared file {relative} (set STRATA_SHARED to the folder that holds it)")
    return path
