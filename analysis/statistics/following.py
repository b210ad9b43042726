"""Find out what follows each conv by watching one forward pass: batch normalisation, scales, activations.

Seen at the level of the operators that really run, so it is the same for modules, functional calls and ONNX graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped
from analysis.statistics.follow import Follow

ACTIVATIONS = {
    "relu": "relu",
    "hardtanh": "relu6",
    "leaky_relu": "leaky relu",
    "prelu": "prelu",
    "_prelu_kernel": "prelu",
    "silu": "silu",
    "gelu": "gelu",
    "hardswish": "hardswish",
    "elu": "elu",
    "mish": "mish",
    "softplus": "softplus",
    "sigmoid": "sigmoid",
    "hardsigmoid": "hardsigmoid",
    "tanh": "tanh",
}
PASSING = frozenset(
    {"view", "_unsafe_view", "reshape", "alias", "detach", "clone", "contiguous", "dropout", "native_dropout"}
    | {"max_pool2d_with_indices", "max_pool2d", "mkldnn_max_pool2d", "slice"}
)
"""Operators behind which a channel's values are still its own (the greatest of several may be picked)."""
STEPS = frozenset({"add", "sub", "mul", "div"})


@dataclass
class _Trail:
    """A conv's output on its way: what has been done to it so far."""

    layer: str
    scale: np.ndarray
    shift: np.ndarray
    activation: str | None = None
    joined: bool = False
    norm: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.activation is None and not self.joined


class FollowTap(ConvTap):
    """Watches a whole forward pass and keeps, for each conv's first call, what its output goes through."""

    def __init__(self, calls: Sequence[str]) -> None:
        super().__init__(self._begin)
        self._layers = calls
        self._trails: dict[int, _Trail] = {}
        self._alive: list[torch.Tensor] = []
        self.found: dict[str, _Trail] = {}

    def _begin(self, call: ConvCall) -> bool:
        layer = self._layers[call.number]
        if layer not in self.found:
            channels = call.output.shape[1]
            self.found[layer] = _Trail(layer, np.ones(channels), np.zeros(channels))
            self._carry(self.found[layer], call.output)
        return True

    def _carry(self, trail: _Trail, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.dim() > 1 and output.shape[1] == len(trail.scale):
            self._trails[id(output)] = trail
            self._alive.append(output)

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        trails = [self._trails.get(id(value)) for value in args if isinstance(value, torch.Tensor)]
        output = func(*args, **kwargs)
        known = [trail for trail in trails if trail is not None and trail.open]
        if known:
            name = func._schema.name.split("::")[1].rstrip("_")
            values = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)}
            follow_on(known, name, values | kwargs)
            if known[0].open and (name in PASSING | STEPS or "batch_norm" in name):
                self._carry(known[0], output[0] if isinstance(output, tuple) else output)
        return output


def follow_on(trails: list[_Trail], name: str, values: dict[str, Any]) -> None:
    """Write into the trails what one operator does to them."""
    trail = trails[0]
    if name in ACTIVATIONS:
        trail.activation = ACTIVATIONS[name]
    elif name in {"clamp", "clamp_min"} and values.get("min") == 0:
        trail.activation = "relu" if values.get("max") is None else "relu6"
    elif "batch_norm" in name:
        _normalise(trail, values)
    elif name in STEPS:
        constant = _constant(values, len(trail.scale))
        if len(trails) > 1 or constant is None:
            for each in trails:
                each.joined = True
        else:
            _affine(trail, name, constant)
    elif name == "cat":
        trail.joined = True


def _normalise(trail: _Trail, values: dict[str, Any]) -> None:
    norm = {}
    for name, argument in (
        ("mean", "running_mean"),
        ("variance", "running_var"),
        ("weight", "weight"),
        ("bias", "bias"),
    ):
        value = values.get(argument)
        norm[name] = _array(value) if isinstance(value, torch.Tensor) else np.full_like(trail.scale, name == "weight")
    scale = norm["weight"] / np.sqrt(norm["variance"] + values["eps"])
    if not trail.norm and (trail.scale == 1).all() and (trail.shift == 0).all():
        trail.norm = norm
    trail.shift = (trail.shift - norm["mean"]) * scale + norm["bias"]
    trail.scale = trail.scale * scale


def _constant(values: dict[str, Any], channels: int) -> np.ndarray | None:
    """The other operand of an addition or multiplication, [C], where it is the same for all images and positions."""
    other = values.get("other")
    if isinstance(other, int | float):
        return np.full(channels, float(other))
    if isinstance(other, torch.Tensor):
        if other.numel() == 1:
            return np.full(channels, float(other))
        if other.dim() >= 3 and other.numel() == channels == other.shape[-3]:
            return _array(other).ravel()
    return None


def _affine(trail: _Trail, name: str, constant: np.ndarray) -> None:
    if name in {"add", "sub"}:
        trail.shift = trail.shift + (constant if name == "add" else -constant)
    else:
        factor = constant if name == "mul" else 1 / constant
        trail.scale, trail.shift = trail.scale * factor, trail.shift * factor


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().cpu().numpy()


def follows_of(model: Model, forward: Callable[[], Any] | None = None) -> dict[str, Follow]:
    """Layer → what follows it, for all conv layers that a forward pass at the model's own input size calls."""
    spec = model.card.input
    picture = torch.full((1, spec.channels, spec.height, spec.width), 0.5)
    tap = FollowTap(model.calls)
    with torch.no_grad():
        run_tapped(tap, forward or (lambda: model(picture)))
    nothing = {layer.name: Follow.nothing(layer.out_channels) for layer in model.card.layers}
    return nothing | {
        layer: Follow(
            trail.scale.astype(np.float32), trail.shift.astype(np.float32), trail.activation, trail.joined, trail.norm
        )
        for layer, trail in tap.found.items()
    }
