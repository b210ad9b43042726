"""The conv layers of a net, found by running it once: what is called, in which order, and what it sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils.weak import WeakTensorKeyDictionary

from analysis.models.layers import ConvLayer
from analysis.models.receptive import Factor, Sight, merge
from analysis.models.sight_rules import RULES, concatenate, convolution
from analysis.models.tap import CONVOLUTIONS, ConvCall, ConvTap, run_tapped, tensors_in


@dataclass(frozen=True)
class Trace:
    """layers: in the order of their first call; calls: the layer of every convolution, in the order of the pass."""

    layers: tuple[ConvLayer, ...]
    calls: tuple[str, ...]
    output: Any


class _TraceTap(ConvTap):
    """Keeps, for every tensor on the way, what it sees of the input, or else which parameter it was made from."""

    def __init__(self, image: torch.Tensor, named: Mapping[int, str], seen: Callable[[ConvCall], bool]) -> None:
        super().__init__(seen)
        self._sights: Any = WeakTensorKeyDictionary()
        self._origins: Any = WeakTensorKeyDictionary()
        self._named = named
        rates = [(0.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
        if image.dim() == 4:
            dims = zip(image.shape, rates, strict=True)
            self._sights[image] = Sight(tuple((Factor(size, rate),) for size, rate in dims))

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        output = super().__torch_dispatch__(func, types, args, kwargs)
        if func in CONVOLUTIONS:
            self._follow(func, args, output)
        return output

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        output = func(*args, **kwargs)
        self._follow(func, [*args, *kwargs.values()], output)
        return output

    def seen_by(self, call: ConvCall) -> Sight | None:
        """What the output of a convolution sees."""
        sight = self.sight(call.input)
        if sight is None or call.weight.dim() != 4:
            return None
        arguments = (None, call.weight, None, call.stride, call.padding, call.dilation, call.transposed)
        return convolution(sight, arguments, call.output)

    def sight(self, tensor: torch.Tensor) -> Sight | None:
        return self._sights.get(tensor)

    def origin(self, tensor: torch.Tensor) -> str | None:
        """The parameter that this tensor is, or was computed from."""
        return self._named.get(_place(tensor)) or self._origins.get(tensor)

    def _follow(self, func: Any, args: Sequence[Any], output: Any) -> None:
        operands = tensors_in(args)
        outputs = tensors_in(output)
        sights = self._sight_of(func, args, operands, output)
        if sights is None:
            origin = next((name for tensor in operands if (name := self.origin(tensor))), None)
            for tensor in outputs if origin else []:
                self._origins[tensor] = origin
            return
        for tensor, sight in zip(outputs, sights, strict=False):
            self._sights[tensor] = sight

    def _sight_of(
        self, func: Any, args: Sequence[Any], operands: Sequence[torch.Tensor], output: Any
    ) -> list[Sight] | None:
        found = [self.sight(tensor) for tensor in operands]
        known = [sight for sight in found if sight is not None]
        outputs = tensors_in(output)
        if not known or not outputs:
            return None
        name = func.overloadpacket.__name__.rstrip("_")
        if name == "cat":
            dim = next((arg for arg in args[1:] if isinstance(arg, int)), 0)
            return [concatenate(found, operands, dim, outputs[0])]
        if name == "addmm" and found[1] is not None:
            return [RULES["mm"](found[1], args, outputs[0])]  # type: ignore[list-item]
        rule = RULES.get(name)
        if rule is not None and found[0] is not None:
            try:
                sights = rule(found[0], args, output)
            except (TypeError, ValueError, IndexError):  # a use of the operator that the rule does not know
                return [_met(known, operands, tensor) for tensor in outputs]
            return sights if isinstance(sights, list) else [sights]
        return [_met(known, operands, tensor) for tensor in outputs]


def _met(sights: Sequence[Sight], operands: Sequence[torch.Tensor], out: torch.Tensor) -> Sight:
    """What an operator without a rule of its own gives: number by number where the shapes broadcast, else a blur."""
    try:
        plain = torch.broadcast_shapes(*(tensor.shape for tensor in operands)) == out.shape
    except RuntimeError:
        plain = False
    if plain:
        return merge(sights, out.shape)
    blurred = [sight.blur((1,) * out.dim()) for sight in sights]
    return merge(blurred, (1,) * out.dim()).blur(out.shape)


def _place(tensor: torch.Tensor) -> int:
    """Where a tensor's numbers lie: the same for a parameter and for what a graph passes on as that parameter."""
    return tensor.data_ptr()


def _describe(name: str, call: ConvCall, sight: Sight | None) -> ConvLayer:
    weight = call.weight
    spatial = weight.dim() - 2
    channels = weight.shape[0], weight.shape[1] * call.groups
    inside, outside = channels if call.transposed else (channels[1], channels[0])
    geometry = [
        values * spatial if len(values) == 1 else values for values in (call.stride, call.padding, call.dilation)
    ]
    layer = ConvLayer(
        name=name,
        kind=f"Conv{'Transpose' if call.transposed else ''}{spatial}d",
        in_channels=inside,
        out_channels=outside,
        kernel_size=tuple(weight.shape[2:]),
        stride=geometry[0],
        padding=geometry[1],
        dilation=geometry[2],
        groups=call.groups,
        parameters=weight.numel() + (call.bias.numel() if call.bias is not None else 0),
        output_size=tuple(call.output.shape[2:]),
    )
    if sight is None:
        return layer
    flat = sight.flat(2).flat(3)
    rows, columns = flat.dims[2][0].rate[0], flat.dims[3][0].rate[1]
    extent = [high - low + 1 for low, high in zip(flat.low, flat.high, strict=True)]
    centre = [(high + low) / 2 for low, high in zip(flat.low, flat.high, strict=True)]
    return replace(
        layer,
        receptive_field=(round(extent[0]), round(extent[1])),
        jump=(rows, columns),
        offset=(centre[0], centre[1]),
    )


def _again(first: ConvLayer, other: ConvLayer) -> ConvLayer:
    """A layer that is called once more: of its sites, the one that sees most speaks for it."""
    widest = max(first, other, key=lambda layer: layer.receptive_field or (0, 0))
    return replace(widest, sites=first.sites + 1, parameters=max(first.parameters, other.parameters))


def layer_names(module: nn.Module) -> dict[int, str]:
    """Where each parameter's numbers lie → its name without `.weight`."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    return {_place(tensor): name.removesuffix(".weight") for name, tensor in reversed(tensors) if tensor.numel()}


def trace(module: nn.Module, image: torch.Tensor, names: Mapping[int, str] | None = None) -> Trace:
    """Run `module` once on `image` [B, C, H, W] (in the model's own range) and list its convolutions.

    `names` tells a weight's layer by where its numbers lie (`layer_names` by default). A weight that is computed on
    the way takes the name of the parameter it is computed from; one that comes from nowhere is called `conv_<n>`.
    """
    named = layer_names(module) if names is None else names
    layers: dict[str, ConvLayer] = {}
    calls: list[str] = []

    def seen(call: ConvCall) -> bool:
        name = tap.origin(call.weight) or f"conv_{call.number}"
        calls.append(name)
        found = _describe(name, call, tap.seen_by(call))
        layers[name] = _again(layers[name], found) if name in layers else found
        return True

    tap = _TraceTap(image, named, seen)
    with torch.no_grad():
        output = run_tapped(tap, lambda: module(image))
    return Trace(tuple(layers.values()), tuple(calls), output)
