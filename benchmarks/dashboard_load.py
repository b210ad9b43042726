"""Many people at once, and large files: what the dashboard's server takes.

`python -m benchmarks.dashboard_load` makes an invented atlas, serves it, sends twenty visitors and one Chromium through
it, three times, and uploads 1 GB between. Needs /usr/bin/chromium. It takes six minutes: on a slow machine visitors
look at fewer pages.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

from analysis.atlas.library import Library
from benchmarks.dashboard import Served, served
from benchmarks.report import table, write_section
from benchmarks.visitor import Visitor
from tests.dashboard.synthetic import add_atlas, model_card

SESSIONS = 20
ROUNDS = 4
LONGEST = 45.0
"""Seconds after which visitors look at no further page: a slow machine makes fewer, and the bench still ends."""
FORGOTTEN = 125.0
"""Seconds after which Streamlit has let go of a session that left: it keeps them for two minutes, to come back to."""
GIGABYTE = 10**9
PIECE = 2**20
WIDTHS = (64, 256, 512)
ATLAS = "wide"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sessions", type=int, default=SESSIONS)
    options.add_argument("--bytes", type=int, default=GIGABYTE)
    chosen = options.parse_args()
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        add_atlas(library, model_card(ATLAS, "99" * 32, WIDTHS))
        with served(library) as server:
            found = []
            for row in load(server, chosen.sessions, chosen.bytes):
                print(*row, sep=" · ", flush=True)
                found.append(row)
    about = (
        f"`python -m benchmarks.dashboard_load`: {chosen.sessions} visitors at once, each from overview to layer to "
        f"channel {ROUNDS} times or for {LONGEST:.0f} s, 1 to 3 s a page, over Streamlit's own protocol "
        "(benchmarks/visitor.py): a page is there when the last of it has come. Beside them one headless Chromium on "
        "the same cores, timed from click to drawn. Memory is the server's resident set; further visitors come "
        f"two minutes after the last have left. The machine's load before it began, by others: {busy:.0f}."
    )
    write_section(
        "dashboard-load", f"## Many people at once\n\n{about}\n\n{table(['what', 'measured', 'promised'], found)}"
    )


def load(server: Served, sessions: int, size: int) -> Iterator[list[str]]:
    with Visitor(server.site) as visitor:  # what everybody shares is read once
        for page in _tour(random.Random(0))[:3]:
            _look(visitor, page)
    before = resident(server.pid)
    wave = crowd(server, sessions)
    left = time.monotonic()
    first = resident(server.pid)
    yield ["a page, 95th percentile", _told(wave.seconds), "under 2 s"]
    yield ["the same in a Chromium among them", _told(wave.drawn), ""]
    yield ["pages asked for, failed", f"{len(wave.seconds)}, {wave.failed}", ""]
    yield ["processor time of the server a page", f"{1000 * wave.processor / max(1, len(wave.seconds)):.0f} ms", ""]
    yield ["memory a session", f"{(first - before) / sessions / 1e6:.1f} MB", "at most 20 MB"]
    yield from upload(server, size)
    for which in ("more", "yet more"):
        time.sleep(max(0.0, FORGOTTEN - (time.monotonic() - left)))
        crowd(server, sessions)
        left = time.monotonic()
        before, first = first, resident(server.pid)
        yield [f"memory that {sessions} {which} sessions add", f"{(first - before) / 1e6:.0f} MB", "0"]


@dataclass(frozen=True)
class Crowd:
    """seconds: of every visitor's page · drawn: of Chromium's · failed: pages that did not come · processor: seconds"""

    seconds: list[float]
    drawn: list[float]
    failed: int
    processor: float


def crowd(server: Served, sessions: int) -> Crowd:
    """So many visitors at once and a Chromium, until each has had its rounds or LONGEST is over."""
    import psutil

    process, until = psutil.Process(server.pid), time.monotonic() + LONGEST
    before = sum(process.cpu_times()[:2])
    with ThreadPoolExecutor(sessions) as people:
        asked = [people.submit(_visit, server.site, number, until) for number in range(sessions)]
        drawn = _in_chromium(server.site, until)
        results = [each.result() for each in asked]
    spent = sum(process.cpu_times()[:2]) - before
    return Crowd([x for seconds, _ in results for x in seconds], drawn, sum(bad for _, bad in results), spent)


@dataclass(frozen=True)
class _Place:
    page: str
    view: dict[str, object]


def _visit(site: str, number: int, until: float) -> tuple[list[float], int]:
    """(seconds of each page that came, how many did not)."""
    draw, times = random.Random(number), list[float]()
    time.sleep(draw.uniform(0, 2))
    try:
        with Visitor(site) as visitor:
            for page in _tour(draw):
                if time.monotonic() > until:
                    break
                times.append(_look(visitor, page))
                time.sleep(draw.uniform(1, 3))
    except Exception as problem:  # whatever goes wrong is counted, and the others go on
        print(f"visitor {number}: {problem!r}")
        return times, 1
    return times, 0


def _tour(draw: random.Random) -> list[_Place]:
    """The pages of one visit."""
    pages: list[_Place] = []
    for _ in range(ROUNDS):
        number = draw.randrange(len(WIDTHS))
        layer = f"features.{number}.conv"
        channel = draw.randrange(WIDTHS[number])
        pages += [
            _Place("overview", {}),
            _Place("layer", {"layer": layer}),
            _Place("channel", {"layer": layer, "channel": channel}),
        ]
    return pages


def _look(visitor: Visitor, place: _Place) -> float:
    return visitor.look(place.page, atlas=ATLAS, **place.view).seconds


def _in_chromium(site: str, until: float) -> list[float]:
    """Seconds from click to drawn, page after page."""
    from playwright.sync_api import Error, sync_playwright

    times: list[float] = []
    with sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(20_000)

        def took(act: Callable[[], object], arrived: str) -> None:
            page.wait_for_timeout(1000)
            began = time.perf_counter()
            act()
            page.wait_for_selector(arrived)
            times.append(time.perf_counter() - began)

        try:
            page.goto(f"{site}/overview?atlas={ATLAS}")
            page.wait_for_selector("a.row")
            while time.monotonic() < until - LONGEST / 3:
                took(lambda: page.locator("a.row").nth(1).click(), ".view canvas")
                took(lambda: page.locator(".view canvas").click(position={"x": 60, "y": 60}), "h1:has-text('Channel')")
                took(lambda: page.locator(".st-key-crumbs a").nth(1).click(), "a.row")
        except Error as problem:
            print(f"Chromium: {problem}")
        browser.close()
    return times


def _told(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "none came"
    return f"{statistics.quantiles(seconds, n=20)[-1]:.2f} s (median {statistics.median(seconds):.2f} s)"


def upload(server: Served, size: int) -> Iterator[list[str]]:
    """The most memory that the server took on while a file of `size` bytes came in."""
    address = urlparse(server.site)
    before = resident(server.pid)
    with watched(server.pid) as seen:
        connection = http.client.HTTPConnection(str(address.hostname), address.port or 80)
        piece = b"x" * PIECE
        body = (piece[: min(PIECE, size - start)] for start in range(0, size, PIECE))
        connection.request("PUT", "/bring/models?name=large.pth", body, {"Content-Length": str(size)})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(said.decode())
    what = f"memory while a file of {size / 1e9:.1f} GB comes in"
    yield [what, f"+{(max(seen) - before) / 1e6:.0f} MB", "at most +50 MB"]


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """The memory of a process, looked at every 50 ms."""
    seen, done = [resident(pid)], threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            seen.append(resident(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


if __name__ == "__main__":
    main()
