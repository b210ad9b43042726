"""Numbers as sentences hold them."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """`1 channel`, `3 channels`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
