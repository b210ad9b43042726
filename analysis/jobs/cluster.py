"""Where tasks run: worker processes of this machine, or any Dask cluster."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import dask
from dask.utils import parse_bytes
from distributed import Client, LocalCluster
from distributed.client import ClosedClientError

from analysis.errors import StrataError
from analysis.heap import ALLOWED
from analysis.jobs.device import gpus

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
RUN_OR_END = {
    # a task's memory is torch's, of which Dask can move nothing to disk
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
}


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Hands:
    """Who does the work: so many local processes (one a GPU, or else a core, where not given), or a Dask cluster.

    memory : what a local process may use (`4GiB`); the machine's shared out evenly where not given
    """

    workers: int | None = None
    scheduler: str | None = None
    memory: str | None = None


def memory_of(memory: str | None) -> dict[str, str]:
    """What tells a worker its memory (`4GiB`), as a variable of its environment. Raises StrataError."""
    try:
        return {} if memory is None or memory == "auto" else {ALLOWED: str(int(parse_bytes(memory)))}
    except ValueError as error:
        raise StrataError(f"“{memory}” is no amount of memory. Give one such as 4GiB.") from error


@contextmanager
def cluster(workers: int | None = None, scheduler: str | None = None, memory: str | None = None) -> Iterator[Client]:
    """A Dask client: of `scheduler` (tcp://host:8786) where one is given, else of `workers` local processes.

    Local workers are single-threaded, one a core: the barrier of a multi-threaded convolution waits for cores that
    others have. Dask's nanny ends a worker that outgrows its memory (`memory`, `4GiB`; the machine's shared out evenly
    where not given) and starts another one for one that died; what becomes of its task, waves.py decides.
    """
    quiet = {
        "distributed.scheduler.allowed-failures": 0,
        **RUN_OR_END,
        "distributed.worker.daemon": True,
        "distributed.admin.low-level-log-length": 0,
        **{f"distributed.nanny.pre-spawn-environ.{name}": 1 for name in ONE_THREAD},
        **{f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in memory_of(memory).items()},
    }
    with dask.config.set(quiet):
        if scheduler is not None:
            try:
                client = Client(scheduler, timeout="10s")
            except (OSError, TimeoutError, ValueError) as error:
                raise StrataError(
                    f"No Dask scheduler answers at {scheduler}. Start one, or leave --scheduler out."
                ) from error
            with client:
                yield client
        else:
            local = LocalCluster(
                n_workers=workers or gpus() or cores(),
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # any free port, and none of it to be seen outside
                silence_logs=50,
                memory_limit=memory or "auto",
            )
            with local, Client(local) as client:
                yield client


AWAY = (OSError, TimeoutError, asyncio.CancelledError, ClosedClientError)
"""What is raised while a scheduler goes away."""
PAUSE = 5.0
"""Seconds between two tries to reach it again."""


class Connection:
    """An engine's way to its scheduler, which may go and come back."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._address = client.scheduler.address if client.scheduler else ""
        self._connecting = Lock()
        self._not_before = 0.0

    def client(self) -> Client | None:
        """A connected client; None while the scheduler is gone."""
        if self._client.status == "closed":
            self._reconnect()
        return self._client if self._client.status == "running" else None

    def _reconnect(self) -> None:
        """Try it, but not at once after a failure: a try takes seconds, in which no job that asks writes its heartbeat,
        and asked for each job and turn it would never end."""
        with self._connecting:
            if self._client.status == "closed" and time.monotonic() >= self._not_before:
                try:
                    self._client = Client(self._address, timeout="2s")
                except (OSError, TimeoutError):
                    self._not_before = time.monotonic() + PAUSE

    def workers(self) -> int:
        """Threads of the cluster; 0 while the scheduler is gone."""
        client = self.client()
        try:
            return 0 if client is None else sum(client.nthreads().values())
        except AWAY:
            return 0

    def trouble(self) -> dict[str, str]:
        """What people should know while nothing goes on, as columns of a job's row."""
        workers = self.workers()
        if self.client() is None:
            return {"note": f"the scheduler at {self._address} does not answer; waiting for it"}
        if not workers:
            return {"note": f"the cluster at {self._address} has no workers; waiting for one"}
        return {}
