"""Loaded into each worker by Dask (`distributed.worker.preload`): writes down when a task begins and when it ends.

A line is `begin|end key technique time pid` in the file that STRATA_TRACE names; short appends are whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from analysis.jobs import worker

TRACE = os.environ["STRATA_TRACE"]


def note(what: str, task: Any) -> None:
    line = f"{what} {task.key} {task.technique} {time.time():.6f} {os.getpid()}\n".encode()
    file = os.open(TRACE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)


def traced(find: Callable[[str], Any]) -> Callable[[str], Any]:
    """A `technique` whose `run` is written down."""

    class Traced:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def run(self, task: Any, context: Any) -> Any:
            note("begin", task)
            made = self.inner.run(task, context)
            note("end", task)
            return made

    return lambda name: Traced(find(name))


def dask_setup(_worker: Any) -> None:
    worker.technique = traced(worker.technique)  # type: ignore[assignment]
