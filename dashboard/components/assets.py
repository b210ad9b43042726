"""The browser side of the components: plain files, put together here, no build step."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("browser")


@cache
def text(*names: str) -> str:
    """The files' content, one after the other. The last of several scripts holds the component's `export default`."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
