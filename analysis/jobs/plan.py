"""From what a person asks for to the tasks that make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from analysis.errors import StrataError
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard
from analysis.task import Task
from analysis.technique import Parameters, Request, Technique, Wanted
from analysis.techniques import technique, techniques

Kind = TypeVar("Kind", bound=Parameters)


def plan(
    model: ModelCard, probe: ProbeCard | None, wanted: Wanted, requested: Mapping[str, Mapping[str, Any]]
) -> list[Task]:
    """The tasks of the requested techniques and of all that those require, each after what it needs.

    requested : technique name → its parameters (those not given have their defaults)
    Raises StrataError for an unknown technique, layer or parameter.
    """
    for layer in wanted.layers:
        model.layer(layer)
    planned: dict[str, list[Task]] = {}
    for name in _with_requirements(requested):
        each = technique(name)
        parameters = parse(each, requested.get(name, {}))
        planned[name] = each.plan(Request(model, probe, wanted, parameters, planned))
    return [task for tasks in planned.values() for task in tasks]


def parse(each: Technique, values: Mapping[str, Any]) -> Parameters:
    """The parameters of a technique from plain values. Raises StrataError naming the first that does not fit."""
    return parse_values(each.title, each.Parameters, values)


def parse_values(title: str, kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise StrataError(f"{title} has no “{name}”. It has {', '.join(kind.model_fields)}.") from None
        raise StrataError(
            f"{title} can not be made with {name} = {first['input']!r}: {first['msg']}. Change it."
        ) from None


def _with_requirements(names: Mapping[str, Any] | Sequence[str]) -> list[str]:
    needed: set[str] = set()

    def add(name: str) -> None:
        for required in technique(name).requires:
            add(required)
        needed.add(name)

    for name in names:
        add(name)
    return [name for name in techniques() if name in needed]
