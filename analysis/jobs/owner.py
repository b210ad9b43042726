"""Which process an engine is, so that another one can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache

import psutil


@cache
def this_process() -> str:
    """`host/process id/when it began`: the number of a process alone is given again to another one."""
    process = psutil.Process(os.getpid())
    return f"{socket.gethostname()}/{process.pid}/{process.create_time():.2f}"


def has_died(owner: str | None) -> bool:
    """Whether a process of this machine is gone; False for one of another machine, of which nothing is known."""
    if owner is None:
        return False
    host, pid, began = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(began)) > 1
    except psutil.NoSuchProcess:
        return True
