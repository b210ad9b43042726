"""What can be told of a request by a look at cards alone: before it is filed, and before anybody waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from analysis.errors import StrataError
from analysis.jobs.plan import parse, parse_values
from analysis.models.model import ModelCard
from analysis.techniques import technique


def check_techniques(requested: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises StrataError for a technique or a parameter that there is not, and for a value out of bounds."""
    for name, values in requested.items():
        parse(technique(name), values)


def check_layers(card: ModelCard, layers: Iterable[str]) -> None:
    """Raises StrataError for what is neither a conv layer nor a head of the model."""
    for name in layers:
        card.units(name)


def check_channel(card: ModelCard, layer: str, channel: int) -> None:
    """Raises StrataError for a layer or a channel that the model has not."""
    units = card.units(layer)
    if not 0 <= channel < units:
        raise StrataError(f"{layer} has channels 0 to {units - 1}, not {channel}. Choose one of them.")


def check_dream(card: ModelCard, layer: str, channel: int | None, parameters: Mapping[str, Any]) -> None:
    """Raises StrataError for a layer or channel that the model has not, and for parameters that a dream has not."""
    from analysis.dream.parameters import DreamParameters

    card.layer(layer)
    if channel is not None:
        check_channel(card, layer, channel)
    parse_values("A dream", DreamParameters, parameters)
