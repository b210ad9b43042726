from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import ParseResult, parse_qsl, urlparse

import pytest
from streamlit.testing.v1 import AppTest

from analysis.atlas.library import Library
from dashboard.library import library
from tests.dashboard.synthetic import make_library

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves its page as `__main__`, and every process that a later test spawns would run it first."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library of three invented atlases; tests only read it."""
    return make_library(tmp_path_factory.mktemp("made"))


@pytest.fixture
def shelf(made: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The dashboard's library is the made one."""
    monkeypatch.setenv("STRATA_LIBRARY", str(made.root))
    return library()


@pytest.fixture
def own_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The dashboard's library is an empty one of this test's own."""
    monkeypatch.setenv("STRATA_LIBRARY", str(tmp_path / "library"))
    return library()


def led_to(app: AppTest) -> ParseResult | None:
    """The address that the browser is led to instead of this one's; None for a page that stays."""
    for element in app.get("bidi_component"):
        if element.proto.component_name == "strata_history" and element.proto.json:
            return urlparse(json.loads(element.proto.json)["instead"])
    return None


@pytest.fixture
def open_page() -> Open:
    """Open a page at an address, as a browser would: `open_page("layer", atlas="tiny", layer="…")`. Where the page only
    leads on, the page that it leads to."""

    def opened(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=30)
        app.switch_page(f"views/{page}.py")
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        there = led_to(app)
        if there is None:
            return app
        assert (page, query) != (there.path.strip("/"), dict(parse_qsl(there.query))), "it leads to itself"
        return opened(there.path.strip("/"), **dict(parse_qsl(there.query)))

    return opened
