"""Which layer of one model is which of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from analysis.models.layers import ConvLayer


@dataclass(frozen=True)
class Pair:
    """how: "name", "order" (other name, same shape, same place in the order), or "unpaired" with one side None."""

    a: str | None
    b: str | None
    how: str


def shape_of(layer: ConvLayer) -> tuple[object, ...]:
    """What two layers must share for their channels to be compared one to one."""
    return layer.kind, layer.in_channels, layer.out_channels, layer.kernel_size, layer.groups


def pair_layers(a: Sequence[ConvLayer], b: Sequence[ConvLayer]) -> list[Pair]:
    """By name; the rest by the longest common run of shapes in order. In the order of `a`, then what only `b` has."""
    names = {layer.name for layer in a} & {layer.name for layer in b}
    partner = {name: (name, "name") for name in names}
    rest_a = [layer for layer in a if layer.name not in names]
    rest_b = [layer for layer in b if layer.name not in names]
    matcher = SequenceMatcher(None, [shape_of(x) for x in rest_a], [shape_of(x) for x in rest_b], autojunk=False)
    for start_a, start_b, length in matcher.get_matching_blocks():
        for step in range(length):
            partner[rest_a[start_a + step].name] = (rest_b[start_b + step].name, "order")
    pairs = [Pair(layer.name, *partner.get(layer.name, (None, "unpaired"))) for layer in a]
    used = {pair.b for pair in pairs}
    return pairs + [Pair(None, layer.name, "unpaired") for layer in b if layer.name not in used]
