"""How quick the dashboard feels with a layer of 2,048 channels, in headless Chromium.

`python benchmarks/dashboard.py` makes an invented atlas, serves it, and prints the figures. Needs /usr/bin/chromium.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from analysis.atlas.library import Library  # noqa: E402
from benchmarks.report import table, write_section  # noqa: E402
from tests.dashboard.synthetic import add_atlas, model_card  # noqa: E402

CHANNELS = 2048
ROUNDS = 5
GRID = """window.grid = () =>
  [...document.querySelectorAll('*')].map((e) => e.shadowRoot).find((root) => root?.querySelector('.view canvas'))"""
FIRST_DRAWN = """() => {
  const root = window.grid()
  const canvas = root?.querySelector('.view canvas')
  if (!canvas?.width) return false
  const pixels = canvas.getContext('2d').getImageData(20, 20, 60, 60).data
  return new Set(pixels).size > 40
}"""
SORT = """(name) => new Promise((done) => {
  const root = window.grid()
  const select = root.querySelector('select.sort')
  const began = performance.now()
  select.value = name
  select.dispatchEvent(new Event('change'))
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)))
})"""
FRAMES = """(zoom) => new Promise((done) => {
  const root = window.grid()
  const view = root.querySelector('.view')
  const slider = root.querySelector('.size')
  const began = performance.now()
  let frames = 0
  const step = () => {
    frames += 1
    const seconds = (performance.now() - began) / 1000
    if (seconds > 3) return done(frames / seconds)
    if (zoom) {
      slider.value = 104 + 60 * Math.sin(4 * seconds)
      slider.dispatchEvent(new Event('input'))
    } else view.scrollTop += 12
    requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
})"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        add_atlas(library, model_card("wide", "99" * 32, (64, CHANNELS)))
        with served(library) as server, sync_playwright() as driver:
            options = ["--no-sandbox", "--disable-background-networking"]
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.add_init_script(GRID)
            found = list(figures(page, server.site))
            browser.close()
    rows = [[name, f"{value:.0f} {unit}", promised] for name, value, unit, promised in found]
    about = (
        f"`python -m benchmarks.dashboard`: headless Chromium, a layer of {CHANNELS:,} channels, medians of {ROUNDS}."
    )
    measured = table(["what", "measured", "promised"], rows)
    write_section("dashboard", f"## How quick the dashboard is\n\n{about}\n\n{measured}")


def figures(page: Any, site: str) -> Iterator[tuple[str, float, str, str]]:
    """(what, median of ROUNDS, unit, what is promised), measured one after the other on one page."""
    address = f"{site}/layer?atlas=wide&layer=features.1.conv"
    page.goto(f"{site}/overview?atlas=wide")
    page.locator("a.row").nth(1).click()
    page.wait_for_function(FIRST_DRAWN)  # once to warm the server: the figures are those of the second visitor
    opened, clicked = [], []
    for _ in range(ROUNDS):
        page.goto(f"{site}/overview?atlas=wide")
        page.wait_for_selector("a.row")
        page.wait_for_timeout(1500)
        opened.append(took(lambda: page.locator("a.row").nth(1).click(), lambda: page.wait_for_function(FIRST_DRAWN)))
        page.wait_for_timeout(1000)
        click = page.locator(".view canvas")
        arrived = lambda: page.wait_for_selector("h1:has-text('Channel')")  # noqa: E731
        clicked.append(took(lambda click=click: click.click(position={"x": 60, "y": 60}), arrived))
    yield f"overview → first grid of {CHANNELS} channels drawn", statistics.median(opened), "ms", "at most 1,500 ms"
    yield "click on a tile → channel page", statistics.median(clicked), "ms", "at most 500 ms"
    page.goto(address)
    page.wait_for_function(FIRST_DRAWN)
    page.wait_for_timeout(1500)
    sorts = [page.evaluate(SORT, name) for name in ("mean", "std", "peak_max", "zeros", "mean")]
    yield f"sort {CHANNELS} channels", statistics.median(sorts), "ms", "at most 150 ms"
    yield "frames a second while scrolling", page.evaluate(FRAMES, False), "fps", "at least 50"
    yield "frames a second while zooming", page.evaluate(FRAMES, True), "fps", "at least 50"
    yield "elements on the page", page.evaluate("document.querySelectorAll('*').length"), "", ""


def took(act: Any, arrived: Any) -> float:
    """Milliseconds from the act to the arrival."""
    began = time.perf_counter()
    act()
    arrived()
    return 1000 * (time.perf_counter() - began)


@dataclass(frozen=True)
class Served:
    site: str
    pid: int


@contextmanager
def served(library: Library) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "dashboard" / "serve.py"), "--address", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        command, env={**os.environ, "STRATA_LIBRARY": str(library.root)}, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield Served(f"http://127.0.0.1:{port}", server.pid)
    finally:
        server.terminate()
        server.wait(15)


if __name__ == "__main__":
    main()
