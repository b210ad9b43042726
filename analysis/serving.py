"""`strata serve`: the dashboard and the engine, two processes side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from types import MappingProxyType

from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.cluster import Hands

PATIENCE = 60.0
"""Seconds that the dashboard may take to answer."""
EVERYWHERE = ("0.0.0.0", "::")
"""Addresses to listen on that are none to ask at."""


def serve(
    library: Library,
    address: str,
    port: int,
    on: Hands,
    offered: Mapping[str, Sequence[Path]] = MappingProxyType({}),
) -> None:
    """Run the dashboard and the engine until either ends or the person presses Ctrl-C; prints the address.

    offered : "models" and "images": folders whose files a browser may open and measure on
    """
    environment = {**os.environ, **_told(library, on, offered)}
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    # side by side: on two cores the engine has its workers by the time that the dashboard answers
    children = [subprocess.Popen(command, env=environment) for command in (_dashboard(address, port), _engine(on))]
    try:
        _wait_until_it_answers(children[0], address, port)
        print(f"\n  Strata is at {link(address, port)}\n  library {library.root}; Ctrl-C stops it\n", flush=True)
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        name = "dashboard" if children[0].poll() is not None else "engine"
        raise StrataError(f"The {name} ended by itself. Its last lines above say why; start `strata serve` again.")
    except KeyboardInterrupt:
        print("Stopped. Builds that were going go on at the next start.", flush=True)
    finally:
        _end(children)


def run_engine(library: Library, on: Hands) -> None:
    """Do a library's jobs until the process is told to end; jobs that were lost with an earlier engine go on."""
    from analysis.jobs.cluster import cluster
    from analysis.jobs.engine import Engine

    stop = Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    with cluster(on.workers, on.scheduler, on.memory) as client:
        Engine(library, client).serve(stop)


def _told(library: Library, on: Hands, offered: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """What the dashboard is told by variables."""
    told = {"STRATA_LIBRARY": str(library.root), "STRATA_DATABASE": library.database_url, **_offers(offered)}
    return told if on.workers is None else {**told, "STRATA_WORKERS": str(on.workers)}


def link(address: str, port: int) -> str:
    """Where a browser on this machine finds what listens on an address."""
    host = "localhost" if address in EVERYWHERE else f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}"


def _offers(offered: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """The folders as the dashboard reads them: STRATA_MODELS, STRATA_IMAGES. Raises StrataError for what is none."""
    for folder in (folder for folders in offered.values() for folder in folders):
        if not folder.is_dir():
            raise StrataError(f"There is no folder {folder} to offer in the browser. Name one that is there.")
    return {
        f"STRATA_{kind.upper()}": os.pathsep.join(str(folder.absolute()) for folder in folders)
        for kind, folders in offered.items()
        if folders
    }


def _dashboard(address: str, port: int) -> list[str]:
    serving = Path(__file__).resolve().parents[1] / "dashboard" / "serve.py"
    return [sys.executable, str(serving), "--address", address, "--port", str(port)]


def _engine(on: Hands) -> list[str]:
    command = [sys.executable, "-m", "analysis.cli", "engine"]
    for name, value in vars(on).items():
        command += [] if value is None else [f"--{name}", str(value)]
    return command


def _wait_until_it_answers(dashboard: subprocess.Popen[bytes], address: str, port: int) -> None:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        if dashboard.poll() is not None:
            raise StrataError(
                f"The dashboard did not start on port {port} of {address}. If the port is taken, choose another with "
                "--port; --address is one of this machine's."
            )
        try:
            with urllib.request.urlopen(f"{link(address, port)}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise StrataError(
        f"The dashboard did not answer at {link(address, port)} within {PATIENCE:.0f} s. Look at its lines above."
    )


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
