"""Before the first visitor comes, what pages are made of is there, and is no garbage to look through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analysis.atlas.library import Library
from dashboard import findings, layers
from dashboard.warm import look_first

SCRIPT = """
import gc, sys
from dashboard.warm import import_all, set_aside
import_all()
assert "dashboard.layers" in sys.modules and "dashboard.components.grid" in sys.modules
assert "torch" not in sys.modules
assert not any(name.startswith(("dashboard.views.", "dashboard.app")) for name in sys.modules)
set_aside()
assert gc.get_freeze_count() > 50_000, gc.get_freeze_count()
ring = []
ring.append(ring)
del ring
assert gc.collect() >= 1
"""


def test_modules_are_set_aside_and_what_comes_later_is_still_collected() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_library_is_read_and_judged_before_the_first_visitor(shelf: Library) -> None:
    findings._judged.cache_clear()
    layers._representatives.cache_clear()
    look_first()
    assert findings._judged.cache_info().currsize == len(shelf.atlases())
    assert layers._representatives.cache_info().currsize > 0


def test_a_library_that_can_not_be_read_does_not_keep_the_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("STRATA_LIBRARY", str(tmp_path / "file" / "library"))
    look_first()
