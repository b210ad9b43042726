"""Loaded into each worker by Dask (`distributed.worker.preload`): when a task begins, when its artifact is kept.

A line is `begin|end key technique time pid` in the file that STRATA_TRACE names; short appends are whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from analysis.atlas import atlas
from analysis.atlas.artifacts import Artifacts
from analysis.jobs import worker

TRACE = os.environ["STRATA_TRACE"]


def note(what: str, task: Any) -> None:
    line = f"{what} {task.key} {task.technique} {time.time():.6f} {os.getpid()}\n".encode()
    file = os.open(TRACE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)


def traced(find: Callable[[str], Any]) -> Callable[[str], Any]:
    """A `technique` whose beginnings are written down."""

    class Traced:
        def __init__(self, inner: Any) -> None:
            self.inner, self.on_device = inner, inner.on_device

        def run(self, task: Any, context: Any) -> Any:
            note("begin", task)
            return self.inner.run(task, context)

    return lambda name: Traced(find(name))


class Kept(Artifacts):
    def write(self, task: Any, artifact: Any) -> None:
        super().write(task, artifact)
        note("end", task)


def dask_setup(_worker: Any) -> None:
    worker.technique = traced(worker.technique)  # type: ignore[assignment]
    atlas.Artifacts = Kept  # type: ignore[misc]
