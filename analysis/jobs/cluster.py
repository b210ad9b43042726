"""Where tasks run: worker processes of this machine, or any Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster

from analysis.errors import StrataError


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def cluster(workers: int | None = None, scheduler: str | None = None) -> Iterator[Client]:
    """A Dask client: of `scheduler` (tcp://host:8786) where one is given, else of `workers` local processes.

    Local workers are single-threaded, one a core: the barrier of a multi-threaded convolution waits for cores that
    others have. Dask's nanny restarts a worker that dies or outgrows its memory; a task that was running on two
    dying workers is given up and reported.
    """
    quiet = {
        "distributed.scheduler.allowed-failures": 1,
        "distributed.worker.daemon": True,
        "distributed.admin.low-level-log-length": 0,
        "distributed.nanny.pre-spawn-environ.OMP_NUM_THREADS": 1,
        "distributed.nanny.pre-spawn-environ.MKL_NUM_THREADS": 1,
        "distributed.nanny.pre-spawn-environ.OPENBLAS_NUM_THREADS": 1,
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
                n_workers=workers or cores(),
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # any free port, and none of it to be seen outside
                silence_logs=50,
            )
            with local, Client(local) as client:
                yield client
