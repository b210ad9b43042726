"""How much memory a process may use, and how it treats what it has freed."""

from __future__ import annotations

import ctypes
import os
import sys

import psutil

ALLOWED = "STRATA_WORKER_BYTES"
"""Environment variable that tells a process how many bytes it may use."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Of glibc's malloc.h."""


def allowed_memory() -> int:
    """Bytes that this process may use: what its environment says, else a core's part of the machine's."""
    return int(os.environ.get(ALLOWED, "0")) or psutil.virtual_memory().total // (os.cpu_count() or 1)


def keep_freed_memory() -> None:
    """Let this process keep what it frees instead of giving it back to the system and fetching it anew.

    A net frees and takes tens of MB at every layer. Given back, each page of them is cleared and mapped again: up to a
    seventh of the time of SqueezeNet's forward pass. At most 512 MiB are kept.
    """
    _set(_MMAP_THRESHOLD, 32 * 2**20)  # the greatest that it takes
    _set(_TRIM_THRESHOLD, 512 * 2**20)


def share_arenas(count: int = 2) -> None:
    """Let the threads of this process take memory from so few places, not from eight a core: a server that makes a
    thread for each visitor leaves some in each place when they have gone. To be called before there are threads."""
    _set(_ARENA_MAX, count)


def _set(option: int, value: int) -> None:
    """Nothing happens where the C library is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None:
        mallopt(option, value)
