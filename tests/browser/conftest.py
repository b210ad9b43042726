"""A real dashboard on a library of invented atlases, and a real Chromium in front of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analysis.atlas.library import Library
from tests.dashboard.synthetic import make_library

CHROMIUM = Path("/usr/bin/chromium")
SERVE = Path(__file__).resolve().parents[2] / "dashboard" / "serve.py"
PATIENCE = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    absent = pytest.mark.skip(reason=f"needs Chromium at {CHROMIUM} (apt-get install chromium)")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(absent)


@pytest.fixture(scope="package")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The library that the served dashboard shows."""
    return make_library(tmp_path_factory.mktemp("shown"))


@pytest.fixture(scope="package")
def site(shown: Library) -> Iterator[str]:
    """The address of a dashboard that runs for the whole session."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(SERVE), "--address", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, env={**os.environ, "STRATA_LIBRARY": str(shown.root)})
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(15)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        if server.poll() is not None:
            raise RuntimeError(f"the dashboard ended by itself ({server.returncode})")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the dashboard did not answer")


@pytest.fixture(scope="package")
def chromium() -> Iterator["playwright.sync_api.Browser"]:  # noqa: F821, UP037
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, site: str) -> Iterator[Callable]:  # type: ignore[no-untyped-def]
    """Open an address in a browser of its own (no cookies, no session shared): `visit("/layer?atlas=…")`."""
    contexts = []

    def visited(address: str, **options):  # type: ignore[no-untyped-def]
        context = chromium.new_context(viewport={"width": 1280, "height": 720}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(site + address)
        return page

    yield visited
    for context in contexts:
        context.close()
