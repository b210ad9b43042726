"""What was seen of a library a moment ago, believed for as long as a reader says.

One page of the dashboard asks hundreds of times whether an artifact is there, and twenty people ask for eight pages a
second. Engines and workers need the truth each time, so nothing is believed unless `believe` was called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Seen = TypeVar("Seen")
MOST = 200_000
"""Things that are remembered at once."""


@dataclass
class _Belief:
    """Of this process: for how many seconds what it saw is believed, and what it saw when."""

    seconds: float = 0.0
    seen: dict[Hashable, tuple[float, Any]] = field(default_factory=dict)


_belief = _Belief()


def believe(seconds: float) -> None:
    """From now on this process looks again only at what it saw longer ago than this; 0: each time."""
    _belief.seconds = seconds
    forget()


def forget() -> None:
    """Look again at everything: this process itself has just changed something."""
    _belief.seen.clear()


def glance(what: Hashable, look: Callable[[], Seen]) -> Seen:
    """What `look` answers now, or answered a moment ago."""
    if not _belief.seconds:
        return look()
    now = time.monotonic()
    known = _belief.seen.get(what)
    if known is not None and now - known[0] < _belief.seconds:
        answer: Seen = known[1]
        return answer
    found = look()
    if len(_belief.seen) >= MOST:
        _belief.seen.clear()
    _belief.seen[what] = now, found
    return found
