"""Find out what follows each conv by watching one forward pass: batch normalisation, scales, activations.

Seen at the level of the operators that really run, so it is the same for modules, functional calls and ONNX graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped
from analysis.statistics.follow import RECTIFIERS, Follow

ACTIVATIONS = {
    "relu": "relu",
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
    "hardtanh": "hardtanh",
    "tanh": "tanh",
}
"""ATen operator → name of the activation."""

PASSING = frozenset(
    {"view", "_unsafe_view", "reshape", "alias", "detach", "clone", "contiguous", "dropout", "native_dropout"}
    | {"max_pool2d_with_indices", "max_pool2d", "mkldnn_max_pool2d", "slice"}
)
"""Operators behind which a channel's values are still its own (the greatest of several may be picked)."""

STEPS = frozenset({"add", "sub", "mul", "div"})


@dataclass
class _Trail:
    """A conv's output on its way: what has been done to it so far."""

    scale: np.ndarray
    shift: np.ndarray
    activation: str | None = None
    function: Callable[[torch.Tensor], torch.Tensor] | None = None
    joined: bool = False
    ended: bool = False
    norm: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.activation is None and not self.ended

    def follow(self) -> Follow:
        return Follow(
            self.scale.astype(np.float32),
            self.shift.astype(np.float32),
            self.activation,
            self.joined,
            self.norm,
            None if self.joined or self.activation in RECTIFIERS else self.function,
        )


class FollowTap(ConvTap):
    """Watches a whole forward pass and keeps, for each conv's first call, what its output goes through."""

    def __init__(self, calls: Sequence[str]) -> None:
        super().__init__(self._begin)
        self._layers = calls
        self._trails: dict[int, list[_Trail]] = {}
        self._sigmoids: dict[int, _Trail] = {}
        self._alive: list[torch.Tensor] = []
        self.found: dict[str, _Trail] = {}

    def _begin(self, call: ConvCall) -> bool:
        layer = self._layers[call.number]
        if layer not in self.found:
            channels = call.output.shape[1]
            self.found[layer] = _Trail(np.ones(channels), np.zeros(channels))
            self._carry([self.found[layer]], call.output)
        return True

    def _carry(self, trails: list[_Trail], output: torch.Tensor) -> None:
        channels = len(trails[0].scale)
        if output.dim() > 1 and output.shape[1] == channels:
            self._trails[id(output)] = trails
            self._alive.append(output)  # so that no other tensor gets its id

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        tensors = [value for value in args if isinstance(value, torch.Tensor)]
        groups = [self._trails[id(value)] for value in tensors if id(value) in self._trails]
        output = func(*args, **kwargs)
        first = output[0] if isinstance(output, tuple | list) and output else output
        name = func._schema.name.split("::")[1].rstrip("_")
        trails = [trail for group in groups for trail in group if trail.open]
        if name == "cat":
            for listed in args[0]:
                for trail in self._trails.get(id(listed), []):
                    trail.ended = trail.open
        elif name == "mul" and self._written_silu(tensors):
            pass
        elif trails:
            values = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)}
            goes_on = follow_on(trails, len(groups), name, values | kwargs, partial(_replay, func, args, kwargs))
            if name == "sigmoid" and isinstance(first, torch.Tensor):
                self._sigmoids[id(first)] = trails[0]
                self._alive.append(first)
            if goes_on and isinstance(first, torch.Tensor):
                self._carry(trails, first)
        return output

    def _written_silu(self, tensors: list[torch.Tensor]) -> bool:
        """x · sigmoid(x), as exporters write SiLU: what looked like a sigmoid was its first half."""
        for one, two in (tensors, tensors[::-1]) if len(tensors) == 2 else ():
            trail = self._sigmoids.get(id(one))
            if trail is not None and trail in self._trails.get(id(two), []):
                trail.activation, trail.function = "silu", torch.nn.functional.silu
                return True
        return False


def follow_on(
    trails: list[_Trail], operands: int, name: str, values: dict[str, Any], function: Callable[[torch.Tensor], Any]
) -> bool:
    """Write into the trails what one operator does to them; whether its output is still theirs.

    trails : those of all operands that were being followed; operands: how many operands these are
    """
    trail = trails[0]
    if name in ACTIVATIONS or (name in {"clamp", "clamp_min"} and values.get("min") == 0):
        for each in trails:
            each.activation, each.function = _activation(name, values), function
        return False
    if trail.joined:
        return name in PASSING or name == "add"
    if "batch_norm" in name:
        _normalise(trail, values)
    elif name in STEPS:
        constant = _constant(values, len(trail.scale))
        if constant is not None and operands == 1:
            _affine(trail, name, constant)
        else:
            for each in trails:
                each.joined, each.ended = name == "add", name != "add"
    return name in PASSING or name in STEPS or "batch_norm" in name


def _activation(name: str, values: dict[str, Any]) -> str:
    if name in {"hardtanh", "clamp", "clamp_min"}:
        low, high = values.get("min_val", values.get("min")), values.get("max_val", values.get("max"))
        return "relu" if high is None else "relu6" if (low, high) == (0, 6) else "hardtanh"
    return ACTIVATIONS[name]


def _replay(func: Any, args: Sequence[Any], kwargs: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    """The operator again, on another input of the same channels [n, C, N]."""
    rest = [value.view(1, -1, 1) if "prelu_kernel" in str(func) else value for value in args[1:]]
    return func(x, *rest, **kwargs)


def _normalise(trail: _Trail, values: dict[str, Any]) -> None:
    norm = {}
    arguments = {"mean": "running_mean", "variance": "running_var", "weight": "weight", "bias": "bias"}
    for name, argument in arguments.items():
        value = values.get(argument)
        norm[name] = _array(value) if isinstance(value, torch.Tensor) else np.full_like(trail.scale, name == "weight")
    scale = norm["weight"] / np.sqrt(norm["variance"] + values["eps"])
    if (trail.scale == 1).all() and (trail.shift == 0).all():
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


def follows_of(model: Model) -> dict[str, Follow]:
    """Layer → what follows it, found in a forward pass at the model's own input size."""
    spec = model.card.input
    picture = torch.full((1, spec.channels, spec.height, spec.width), 0.5)
    tap = FollowTap(model.calls)
    with torch.no_grad():
        run_tapped(tap, lambda: model(picture))
    nothing = {layer.name: Follow.nothing(layer.out_channels) for layer in model.card.layers}
    return nothing | {layer: trail.follow() for layer, trail in tap.found.items()}
