"""`strata worker`: this machine's processes for a Dask cluster elsewhere."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from threading import Event

from distributed.comm.addressing import get_address_host_port

from analysis.errors import StrataError
from analysis.jobs.cluster import ONE_THREAD, RUN_OR_END, Hands, cores, memory_of
from analysis.jobs.device import gpus

AGAIN = 5.0
"""Seconds before the scheduler is tried again when it went away."""


def work_for(on: Hands) -> None:
    """Work for `on.scheduler` until told to end; when it goes away, wait for it and join again.

    Each process has one thread, a nanny that ends it when it outgrows its memory, and starts another one when it dies.
    """
    settings = {**ONE_THREAD, **_as_environment(RUN_OR_END), **memory_of(on.memory)}
    told, missed = Event(), False
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: told.set())
    while not told.is_set():
        if not _answers(str(on.scheduler)):
            if not missed:
                print(f"No scheduler answers at {on.scheduler}; trying it again until one does", flush=True)
            missed = True
            told.wait(AGAIN)
            continue
        missed = False
        joined = subprocess.Popen(_command(on), env={**os.environ, **settings})
        while joined.poll() is None and not told.wait(0.2):
            pass
        if joined.poll() is None:
            joined.terminate()
            joined.wait()
        elif joined.returncode == 2:
            raise StrataError(f"This machine can not work for {on.scheduler}. Its lines above say why.")
        else:
            print(f"The scheduler at {on.scheduler} went away; trying it again", flush=True)
            told.wait(AGAIN)


def _answers(scheduler: str) -> bool:
    """Whether anybody listens there: told here in a sentence, by Dask in fifty lines. Raises StrataError for what is no
    address."""
    try:
        with socket.create_connection(get_address_host_port(scheduler), timeout=AGAIN):
            return True
    except ValueError:
        raise StrataError(f"“{scheduler}” is no address of a scheduler. Write tcp://host:8786.") from None
    except OSError:
        return False


def _as_environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Dask's settings as the variables that it reads them from."""
    return {f"DASK_{name.upper().replace('.', '__')}": str(value) for name, value in settings.items()}


def _command(on: Hands) -> list[str]:
    module = "import sys; from distributed.cli.dask_worker import main; sys.exit(main())"
    command = [
        sys.executable,
        "-c",
        module,
        str(on.scheduler),
        "--nworkers",
        str(on.workers or min(1, gpus()) or cores()),
    ]
    command += ["--nthreads", "1", "--no-dashboard", "--death-timeout", "30"]
    return command + (["--memory-limit", on.memory] if on.memory else [])
