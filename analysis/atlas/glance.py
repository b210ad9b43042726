"""What was seen of a library a moment ago, believed for as long as a reader says.

One page of the dashboard asks hundreds of times whether an artifact is there, and twenty people ask for eight pages a
second. Engines and workers need the truth each time, so nothing is believed unless `believe` was called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Seen = TypeVar("Seen")
MOST = 200_000
"""Things that are remembered at once."""
_seconds = 0.0
_seen: dict[Hashable, tuple[float, Any]] = {}


def believe(seconds: float) -> None:
    """From now on this process looks again only at what it saw longer ago than this; 0: each time."""
    global _seconds  # noqa: PLW0603 — what a whole process does, like the number of its threads
    _seconds = seconds
    forget()


def forget() -> None:
    """Look again at everything: this process itself has just changed something."""
    _seen.clear()


def glance(what: Hashable, look: Callable[[], Seen]) -> Seen:
    """What `look` answers now, or answered a moment ago."""
    if not _seconds:
        return look()
    now = time.monotonic()
    known = _seen.get(what)
    if known is not None and now - known[0] < _seconds:
        answer: Seen = known[1]
        return answer
    found = look()
    if len(_seen) >= MOST:
        _seen.clear()
    _seen[what] = now, found
    return found
