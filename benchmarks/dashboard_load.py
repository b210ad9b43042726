"""Many people at once, and large files: what the dashboard's server takes.

`python -m benchmarks.dashboard_load` makes an invented atlas, serves it, sends twenty browsers through it and uploads
1 GB. Needs /usr/bin/chromium. The browsers run on the same cores as the server, so its own figures are better.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from analysis.atlas.library import Library
from benchmarks.dashboard import Served, served
from benchmarks.report import table, write_section
from tests.dashboard.synthetic import add_atlas, model_card

SESSIONS = 20
ROUNDS = 4
GIGABYTE = 10**9
PIECE = 2**20


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sessions", type=int, default=SESSIONS)
    options.add_argument("--bytes", type=int, default=GIGABYTE)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        add_atlas(library, model_card("wide", "99" * 32, (64, 256, 512)))
        with served(library) as server:
            rows = [*load(server, chosen.sessions), *upload(server, chosen.bytes)]
    head = f"`python -m benchmarks.dashboard_load`: {chosen.sessions} headless Chromiums on the server's own cores"
    about = f"{head}, each from overview to layer to channel and back, {ROUNDS} times, 1 to 3 s a page."
    measured = table(["what", "measured", "promised"], rows)
    write_section("dashboard-load", f"## Many people at once\n\n{about}\n\n{measured}")


def load(server: Served, sessions: int) -> Iterator[list[str]]:
    asyncio.run(_browse(server.site, 1))  # the first visitor warms the server
    before = resident(server.pid)
    times = asyncio.run(_browse(server.site, sessions))
    first = resident(server.pid)
    asyncio.run(_browse(server.site, sessions))
    second = resident(server.pid)
    p95 = statistics.quantiles(times, n=20)[-1]
    yield ["a page, 95th percentile", f"{p95:.2f} s (median {statistics.median(times):.2f} s)", "under 2 s"]
    yield ["memory a session", f"{(first - before) / sessions / 1e6:.1f} MB", "at most 20 MB"]
    yield [f"memory that {sessions} more sessions add", f"{(second - first) / 1e6:.0f} MB", "0"]


async def _browse(site: str, sessions: int) -> list[float]:
    """Seconds of every page of every session."""
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = await driver.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        times = await asyncio.gather(*(_session(browser, site, number) for number in range(sessions)))
        await browser.close()
    return [each for session in times for each in session]


async def _session(browser, site: str, number: int) -> list[float]:  # type: ignore[no-untyped-def]
    draw, times = random.Random(number), []
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    page = await context.new_page()
    page.set_default_timeout(60_000)
    await asyncio.sleep(draw.uniform(0, 2))
    await page.goto(f"{site}/overview?atlas=wide")
    await page.wait_for_selector("a.row")
    for _ in range(ROUNDS):
        await asyncio.sleep(draw.uniform(1, 3))
        times.append(await _took(page.locator("a.row").nth(draw.randrange(3)).click(), page, ".view canvas"))
        await asyncio.sleep(draw.uniform(1, 3))
        tile = page.locator(".view canvas").click(position={"x": 60, "y": 60})
        times.append(await _took(tile, page, "h1:has-text('Channel')"))
        await asyncio.sleep(draw.uniform(1, 3))
        times.append(await _took(page.locator(".st-key-crumbs a").nth(1).click(), page, "a.row"))
    await context.close()
    return times


async def _took(act, page, arrived: str) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    await act
    await page.wait_for_selector(arrived)
    return time.perf_counter() - began


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
