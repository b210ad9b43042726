"""SIGKILL at random moments of a build: is the atlas the same afterwards, and what was computed twice?"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from analysis.atlas.library import Library
from analysis.atlas.verify import verify
from analysis.jobs.waves import KILLED
from benchmarks.jobs_runs import artifacts, ask, runs, stocked, strata
from tests.tiny import tiny_images, tiny_onnx

WORKERS = 2
STEPS = 300
"""Of each picture: enough that a build lasts as long as the kills do."""
PAUSE = 5.0
"""Seconds, at most, between what a kill waits for and the kill."""
AT_START = 0.2
"""Share of the kills that do not wait until the build goes on after the last one: they hit what starts up."""
KINDS = {"dashboard": "serve.py", "engine": " engine", "worker": "spawn_main"}
"""Processes by a part of their command line."""


@dataclass(frozen=True)
class Kills:
    """killed: how often each kind of process · again: builds asked for once more, because chance hit the worker of one
    task twice, which then counts as one that kills its worker · twice: runs that began when their artifact was kept
    already · in_flight: runs that a kill broke off, or that lived on beside their repetition · same: files that are
    byte for byte those of the undisturbed build."""

    killed: Counter[str]
    builds: int
    again: int
    tasks: int
    in_flight: int
    twice: int
    damaged: int
    files: int
    same: int


def measure(count: int, seed: int = 0) -> Kills:
    """One undisturbed build, then builds that are disturbed until `count` processes were killed."""
    chance = random.Random(seed)
    total = Kills(Counter(), 0, 0, 0, 0, 0, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model, images = tiny_onnx(home / "tiny.onnx"), tiny_images(home / "images", 64)
        calm = stocked(home / "calm", model)
        _build(calm, images, home / "calm.trace", 0, chance)
        expected = artifacts(calm)
        while total.killed.total() < count:
            wild, trace = stocked(home / f"wild {total.builds}", model), home / f"{total.builds}.trace"
            killed, again = _build(wild, images, trace, count - total.killed.total(), chance)
            total = _added(total, killed, again, wild, expected, trace)
            print(f"  {total}", flush=True)
    return total


def _added(
    total: Kills, killed: Counter[str], again: int, wild: Library, expected: dict[str, bytes], trace: Path
) -> Kills:
    found, ran = artifacts(wild), runs(trace)
    kept = {key: min(run.end for run in ran if run.key == key and run.end) for key in {r.key for r in ran if r.end}}
    (atlas,) = wild.atlases()
    return Kills(
        total.killed + killed,
        total.builds + 1,
        total.again + again,
        total.tasks + len(atlas.tasks()),
        total.in_flight + sum(run.end is None or run.begin < kept[run.key] < run.end for run in ran),
        total.twice + sum(run.begin >= kept.get(run.key, math.inf) for run in ran),
        total.damaged + len(list(verify(wild, atlas))),
        total.files + len(expected),
        total.same + sum(found.get(name) == content for name, content in expected.items()),
    )


def _build(library: Library, images: Path, trace: Path, most: int, chance: random.Random) -> tuple[Counter[str], int]:
    """Serve the library until its build is done, killing up to `most` processes on the way.

    Returns what was killed, and how often the build was asked for again.
    """
    techniques = {"statistics": {}, "exemplars": {}, "images": {}, "features": {"steps": STEPS, "patience": 1024}}
    table, job = ask(library, images, techniques)
    killed: Counter[str] = Counter()
    again, next_kill = 0, _Kill(chance, 0)
    served = _serve(library, trace)
    try:
        while (row := table.get(job.id)).state != "done":
            if row.ended:
                if KILLED not in (row.error or ""):
                    raise SystemExit(f"The build {row.state}: {row.error}")
                _table, job = ask(library, images, techniques)
                again += 1
            if served.poll() is not None:
                served = _serve(library, trace)
            if killed.total() < most and next_kill.is_due(_size(trace)) and next_kill.strike(served):
                killed[next_kill.kind] += 1
                next_kill = _Kill(chance, _size(trace))
            time.sleep(0.05)
        return killed, again
    finally:
        _end(served)


class _Kill:
    """One kill to come: of which kind of process, and when."""

    def __init__(self, chance: random.Random, did: int) -> None:
        """did: how much the build had done when the last one struck."""
        self.kind = chance.choice(sorted(KINDS))
        self._after = None if chance.random() < AT_START else did
        self._pause, self._which = chance.uniform(0, PAUSE), chance.random()
        self._since: float | None = None

    def is_due(self, did: int) -> bool:
        if self._since is None and (self._after is None or did > self._after):
            self._since = time.monotonic()
        return self._since is not None and time.monotonic() - self._since >= self._pause

    def strike(self, served: subprocess.Popen[bytes]) -> bool:
        """SIGKILL a process of its kind below `served`; False where there is none now."""
        try:
            processes = psutil.Process(served.pid).children(recursive=True)
            there = [each for each in processes if KINDS[self.kind] in " ".join(each.cmdline())]
            if there:
                there[int(self._which * len(there))].kill()
        except psutil.NoSuchProcess:
            return False
        return bool(there)


def _size(trace: Path) -> int:
    return trace.stat().st_size if trace.exists() else 0


def _end(served: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(served.pid, signal.SIGKILL)
    served.wait()


def _serve(library: Library, trace: Path) -> subprocess.Popen[bytes]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return strata(library, trace, "serve", "--port", port, "--workers", str(WORKERS))
