"""The dashboard never loads torch: a hostile or enormous model can not take it down."""

from __future__ import annotations

import os
import subprocess
import sys

from analysis.atlas.library import Library
from tests.dashboard.conftest import APP

EVERY_PAGE = """
import sys
from streamlit.testing.v1 import AppTest
import dashboard.serve
for page, query in {pages!r}:
    app = AppTest.from_file({app!r}, default_timeout=60)
    app.switch_page("views/" + page + ".py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error, (page, app.error)
heavy = sorted({{"torch", "torchvision", "onnx", "timm", "distributed"}} & set(sys.modules))
assert not heavy, heavy
"""


def test_no_page_loads_torch(made: Library) -> None:
    place = {"atlas": "tiny-abababab", "layer": "features.1.conv"}
    pages = [
        ("library", {}), ("overview", place), ("layer", place), ("channel", {**place, "channel": "3"}),
        ("dream", {}), ("open", {}), ("map", place),
        ("open", {"file": "sample/doodles"}),
        ("compare", {"atlas": "tiny-abababab", "other": "tiny-later"}), ("jobs", {}),
    ]  # fmt: skip
    script = EVERY_PAGE.format(pages=pages, app=str(APP))
    environment = {**os.environ, "STRATA_LIBRARY": str(made.root), "PYTHONPATH": str(APP.parents[1])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
