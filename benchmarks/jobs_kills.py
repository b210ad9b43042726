"""SIGKILL at random moments of a build: is the atlas the same afterwards, and what was computed twice?"""

from __future__ import annotations

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
from benchmarks.jobs_runs import artifacts, ask, runs, stocked, strata
from tests.tiny import tiny_images, tiny_onnx

WORKERS = 2
STEPS = 300
"""Of each picture: enough that a build lasts as long as the kills do."""
PAUSE = (1.0, 6.0)
"""Seconds between two kills, drawn evenly."""


@dataclass(frozen=True)
class Kills:
    """killed: how often each kind of process · twice: tasks that came to their end more than once · broken_off: runs
    that a kill ended · same: files that are byte for byte those of the undisturbed build."""

    killed: Counter[str]
    builds: int
    tasks: int
    broken_off: int
    twice: int
    damaged: int
    files: int
    same: int


def measure(count: int, seed: int = 0) -> Kills:
    """One undisturbed build, then builds that are disturbed until `count` processes were killed."""
    chance = random.Random(seed)
    total = Kills(Counter(), 0, 0, 0, 0, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model, images = tiny_onnx(home / "tiny.onnx"), tiny_images(home / "images", 64)
        calm = stocked(home / "calm", model)
        _build(calm, images, home / "calm.trace", 0, chance)
        expected = artifacts(calm)
        while total.killed.total() < count:
            wild, trace = stocked(home / f"wild {total.builds}", model), home / f"{total.builds}.trace"
            killed = _build(wild, images, trace, count - total.killed.total(), chance)
            total = _added(total, killed, wild, expected, trace)
            print(f"  {total}", flush=True)
    return total


def _added(total: Kills, killed: Counter[str], wild: Library, expected: dict[str, bytes], trace: Path) -> Kills:
    found, ran = artifacts(wild), runs(trace)
    ends = Counter(run.key for run in ran if run.end is not None)
    (atlas,) = wild.atlases()
    return Kills(
        total.killed + killed,
        total.builds + 1,
        total.tasks + len(atlas.tasks()),
        total.broken_off + sum(run.end is None for run in ran),
        total.twice + sum(times > 1 for times in ends.values()),
        total.damaged + len(list(verify(wild, atlas))),
        total.files + len(expected),
        total.same + sum(found.get(name) == content for name, content in expected.items()),
    )


def _build(library: Library, images: Path, trace: Path, most: int, chance: random.Random) -> Counter[str]:
    """Serve the library until its build is done, killing up to `most` processes on the way; what was killed."""
    techniques = {"statistics": {}, "exemplars": {}, "images": {}, "features": {"steps": STEPS, "patience": 1024}}
    table, job = ask(library, images, techniques)
    killed: Counter[str] = Counter()
    served = _serve(library, trace)
    try:
        while not (row := table.get(job.id)).ended:
            if served.poll() is not None:
                served = _serve(library, trace)
            time.sleep(chance.uniform(*PAUSE))
            if killed.total() < most and row.total:
                killed.update(_kill_one(served, chance))
        if row.state != "done":
            raise SystemExit(f"The build {row.state}: {row.error}")
        return killed
    finally:
        os.killpg(served.pid, signal.SIGKILL)
        served.wait()


def _serve(library: Library, trace: Path) -> subprocess.Popen[bytes]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return strata(library, trace, "serve", "--port", port, "--workers", str(WORKERS))


def _kill_one(served: subprocess.Popen[bytes], chance: random.Random) -> list[str]:
    """SIGKILL one process that is there now, each kind as likely."""
    there: dict[str, list[psutil.Process]] = {}
    try:
        for process in psutil.Process(served.pid).children(recursive=True):
            line = " ".join(process.cmdline())
            for kind, sign in (("dashboard", "serve.py"), ("engine", " engine"), ("worker", "spawn_main")):
                if sign in line:
                    there.setdefault(kind, []).append(process)
        if not there:
            return []
        kind = chance.choice(sorted(there))
        chance.choice(there[kind]).kill()
    except psutil.NoSuchProcess:
        return []
    return [kind]
