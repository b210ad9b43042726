"""Whose weights are these? Keys and shapes against every net of torchvision, timm and the CIFAR ResNets."""

from __future__ import annotations

import difflib
import json
import lzma
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from analysis.models.errors import ModelError
from analysis.models.fingerprint import Shapes

INDEX = Path(__file__).with_name("architectures.json.xz")
ENOUGH = 0.75  # measured: right nets score higher even with other heads, strangers lower


@dataclass(frozen=True)
class Net:
    """One net of the index. shapes: key → shape; head: the keys that change with the number of classes."""

    zoo: str
    name: str
    shapes: dict[str, str]
    head: frozenset[str]


@dataclass(frozen=True)
class Match:
    """How well weights fit a net: tensors that fit ÷ tensors that either has, heads left out, 0 … 1."""

    net: Net
    score: float
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


@lru_cache(maxsize=1)
def index() -> tuple[Net, ...]:
    """Every known net, from the file beside this one."""
    with lzma.open(INDEX) as file:
        nets = json.load(file)["nets"]
    return tuple(Net(net["zoo"], net["name"], net["shapes"], frozenset(net["head"])) for net in nets)


def recognise(shapes: Shapes) -> list[Match]:
    """The nets that these weights fit, best first, zoo order among equals; empty where none fits well enough."""
    written = _written(shapes)
    probes = list(written.items())[:: max(len(written) // 8, 1)]
    matches = []
    for net in index():
        if not any(net.shapes.get(key) == shape for key, shape in probes):
            continue
        match = _compare(written, net)
        if match.score >= ENOUGH:
            matches.append(match)
    best = max((match.score for match in matches), default=0.0)
    return [match for match in sorted(matches, key=lambda match: -match.score) if match.score >= best - 1e-9]


def find(name: str, shapes: Shapes) -> Match:
    """The net of this name (`resnet50`, or `timm/resnet50` where two zoos have one), and how the weights fit it.

    Raises ModelError where there is no such net.
    """
    zoo, _, short = name.rpartition("/")
    nets = [net for net in index() if net.name == short and zoo in {"", net.zoo}]
    if not nets:
        near = difflib.get_close_matches(short, {net.name for net in index()}, 3)
        raise ModelError(
            f"There is no architecture “{name}” in torchvision or timm. "
            + (f"Did you mean {' or '.join(near)}?" if near else "Leave it out to have it recognised from the weights.")
        )
    return max((_compare(_written(shapes), net) for net in nets), key=lambda match: match.score)


def _written(shapes: Shapes) -> dict[str, str]:
    return {key: "x".join(map(str, shape)) for key, shape in shapes.items()}


def _compare(written: dict[str, str], net: Net) -> Match:
    body = net.shapes.keys() - net.head
    given = written.keys() - net.head
    fitting = {key for key in body & given if _fits(written[key], net.shapes[key])}
    missing = tuple(sorted(body - fitting))
    unexpected = tuple(sorted(given - fitting))
    return Match(net, len(fitting) / max(len(body | given), 1), missing, unexpected)


def _fits(shape: str, known: str) -> bool:
    """Equal, or a stem that takes another number of input channels than RGB."""
    if shape == known:
        return True
    mine, theirs = shape.split("x"), known.split("x")
    return len(mine) == len(theirs) == 4 and theirs[1] == "3" and mine[:1] + mine[2:] == theirs[:1] + theirs[2:]
