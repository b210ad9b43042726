"""Which process an engine is, so that another one can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

import psutil

PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"
AFTER = ":"
"""Between a boot and the ticks after it; in no number of seconds."""


@cache
def this_process() -> str:
    """`host/process id/when it began`: the number of a process alone is given again to another one."""
    process = psutil.Process(os.getpid())
    return f"{socket.gethostname()}/{process.pid}/{_ticks(process.pid) or f'{process.create_time():.2f}'}"


def has_died(owner: str | None) -> bool:
    """Whether a process of this machine is gone; False for one of another machine, of which nothing is known."""
    if owner is None:
        return False
    host, pid, began = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    if AFTER in began:
        return _ticks(int(pid)) != began
    try:
        # seconds since 1970: of a system without /proc, or written by an earlier Strata
        return abs(psutil.Process(int(pid)).create_time() - float(began)) > 1
    except psutil.NoSuchProcess:
        return True


def _ticks(pid: int) -> str | None:
    """`boot:ticks after it` at which a process began, which stay when the clock is set; None where it is gone, or
    there is no /proc."""
    try:
        boot, stat = BOOT.read_text().strip(), (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # a program's name, in brackets, may hold anything
    return None if state in "ZX" else f"{boot}{AFTER}{fields[18]}"
