"""One typed view state ↔ the URL: whatever a person sees can be opened again from its address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from analysis.errors import StrataError
from analysis.unit import Unit

MAX_SELECTED = 200
"""Channels that may be picked at once; more do not fit into an address."""
LONGEST = 60
"""Characters of what an address says that a sentence repeats."""


class Unreadable(StrataError):
    """A part of an address that is not of its kind. rest: the view that its other parts name."""

    def __init__(self, message: str, name: str, rest: View) -> None:
        super().__init__(message)
        self.name = name
        self.rest = rest


@dataclass(frozen=True)
class View:
    """Everything of a page that is worth sharing. Empty means: the page's own choice.

    atlas, layer, channel : the place; a model id or the beginning of an atlas id will do for `atlas`
    other                 : the second atlas of a comparison
    sort, up              : a statistic's name, and whether the smallest comes first
    low, high             : only channels whose sorting statistic lies between these
    find                  : what was typed into the search field
    show                  : "pictures", "images" (whole), "examples" (their patches) or "average" (of these)
    size                  : px of a tile
    selected              : picked channels
    beside                : the picked channels side by side
    across, upward        : statistics that are plotted against each other
    job                   : a job's id
    image                 : an image to look at: `upload/<file>` or `probe/<number>` (dashboard/looks.py)
    file, images          : a model to open and what to measure it on, as dashboard/opening/sources.py names them
    architecture, input   : what a person says of that model: a net's name, fields of its input as JSON
    """

    atlas: str = ""
    other: str = ""
    layer: str = ""
    channel: int | None = None
    sort: str = ""
    up: bool = False
    low: float | None = None
    high: float | None = None
    find: str = ""
    show: str = ""
    size: int | None = None
    selected: tuple[int, ...] = ()
    beside: bool = False
    across: str = ""
    upward: str = ""
    job: str = ""
    image: str = ""
    file: str = ""
    images: str = ""
    architecture: str = ""
    input: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> View:
        """Read an address's query. `unit=<model>/<layer>:<channel>` stands for atlas, layer and channel.

        Raises Unreadable, naming the part, for a value that is not of its kind. Unknown parts are passed over.
        """
        values: dict[str, Any] = {}
        wrong = ""
        if query.get("unit"):
            unit = Unit.parse(query["unit"])
            values.update(atlas=unit.model, layer=unit.layer, channel=unit.channel)
        for field in fields(cls):
            if not query.get(field.name):
                continue
            try:
                values[field.name] = _read(field.name, query[field.name])
            except ValueError:
                wrong = wrong or field.name
        if wrong:
            raise Unreadable(
                f"The address says {wrong}={query[wrong][:LONGEST]}, which is not a number. Correct it, or leave that "
                "part out.",
                wrong,
                cls(**values),
            )
        return cls(**values)

    def to_query(self) -> dict[str, str]:
        """The shortest query that reads back as this view."""
        return {
            field.name: _write(getattr(self, field.name))
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def at(self, **changes: Any) -> View:
        """The same view with some of it changed."""
        return replace(self, **changes)

    def place(self, **changes: Any) -> View:
        """Only where we are (atlas, layer, channel), with some of it changed: for links to other pages."""
        return View(atlas=self.atlas, layer=self.layer, channel=self.channel).at(**changes)


def _read(name: str, text: str) -> Any:
    """Raises ValueError for a text that is not of the field's kind."""
    match name:
        case "channel" | "size":
            return int(text)
        case "low" | "high":
            if not math.isfinite(float(text)):
                raise ValueError(text)
            return float(text)
        case "up" | "beside":
            return text in ("1", "true", "yes")
        case "selected":
            return tuple(dict.fromkeys(int(part) for part in text.split(",")))[:MAX_SELECTED]
    return text


def _write(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
