"""What the benchmarks of jobs share: a small library, a build in processes of its own, what its workers did."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.atlas.files import files_below
from analysis.atlas.library import Library
from analysis.jobs.table import Job, Jobs
from analysis.models.open import open_model

HERE = Path(__file__).resolve().parent

PICTURES = ("sketches", "features")
"""The techniques that draw: coarse pictures, then fine ones."""


@dataclass(frozen=True)
class Run:
    """One task that ran: end is None where it was killed in the middle. Times in seconds since 1970."""

    key: str
    technique: str
    process: int
    begin: float
    end: float | None


def stocked(root: Path, file: Path) -> Library:
    library = Library(root)
    library.add_model(open_model(file).card, file)
    return library


def ask(library: Library, images: Path, techniques: Mapping[str, Any], **more: Any) -> tuple[Jobs, Job]:
    (card,) = library.models()
    jobs = Jobs(library.database_url)
    request = {"model": card.id, "images": str(images), "techniques": techniques, **more}
    return jobs, jobs.submit("build", request)


def strata(library: Library, trace: Path, *command: str) -> subprocess.Popen[bytes]:
    """A `strata` command in a process group of its own, its workers traced."""
    environment = {
        **os.environ,
        "STRATA_LIBRARY": str(library.root),
        "STRATA_TRACE": str(trace),
        "DASK_DISTRIBUTED__WORKER__PRELOAD": str(["benchmarks.jobs_trace"]),
        "PYTHONPATH": str(HERE.parent),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "analysis.cli", *command],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def runs(trace: Path) -> list[Run]:
    """The tasks that ran, in the order in which they began."""
    open_runs: dict[tuple[str, int], list[str]] = {}
    found: list[Run] = []
    for line in trace.read_text().splitlines() if trace.exists() else ():
        what, key, technique, at, process = line.split()
        if what == "begin":
            open_runs[key, int(process)] = [technique, at]
        else:
            technique, begin = open_runs.pop((key, int(process)))
            found.append(Run(key, technique, int(process), float(begin), float(at)))
    found += [
        Run(key, technique, process, float(begin), None) for (key, process), (technique, begin) in open_runs.items()
    ]
    return sorted(found, key=lambda run: run.begin)


def artifacts(library: Library) -> dict[str, bytes]:
    """Every file that tasks made, by its path below the atlas."""
    (atlas,) = library.atlases()
    names = [name for name in files_below(atlas.root) if name.count("/") >= 3 and not name.startswith(".drafts")]
    return {name: (atlas.root / name).read_bytes() for name in names}
