"""Amounts as people read them."""

from __future__ import annotations


def in_bytes(size: int) -> str:
    """Bytes as `1.2 MB`, thousands being thousands."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"
