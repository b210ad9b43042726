"""Before the first visitor comes, what pages are made of is there, and is no garbage to look through."""

from __future__ import annotations

import subprocess
import sys

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
