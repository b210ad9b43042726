"""What a person says of a model's input, checked before the file is opened: their slip is no fault of the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from analysis.models.errors import ModelError


def check_input(told: Mapping[str, Any]) -> None:
    """Raises ModelError, with an example, for a field that an input has not and for a value that it can not have."""
    unknown = told.keys() - FIELDS.keys()
    if unknown:
        raise ModelError(f"An input has no “{min(unknown)}”. It has {', '.join(sorted(FIELDS))}.")
    for name, value in told.items():
        fits, example = FIELDS[name]
        if not fits(value):
            raise ModelError(f"The {name} of an input can not be {value!r}. Write it as {name}={example}.")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_number, value))


def _count(value: Any) -> bool:
    return _number(value) and value == int(value) and value >= 1


FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "channels": (_count, "3"),
    "height": (_count, "224"),
    "width": (_count, "224"),
    "mean": (_numbers, "[0.485,0.456,0.406]"),
    "std": (lambda value: _numbers(value) and all(value), "[0.229,0.224,0.225]"),
    "range": (lambda value: _numbers(value) and len(value) == 2 and value[0] != value[1], "[0,255]"),
    "order": (lambda value: value in ("RGB", "BGR", "L", "planes"), "BGR"),
    "crop": (lambda value: _number(value) and 0 < value <= 1, "0.875"),
    "any_size": (lambda value: isinstance(value, bool), "true"),
}
"""Field of InputSpec → whether a value can be one, and an example."""
