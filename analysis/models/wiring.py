"""Which channels each convolution, and each head, reads: the net's circuit, found by watching one forward pass.

Beside every tensor goes a map of its origins: the same shape, but instead of each number the channel that it came from
(and the factor it was multiplied by since). An operator that only moves numbers about (a view, a slice, a
concatenation, a shuffle) is called on the origins as well, so they are moved in exactly the same way, whoever wrote
it: a module, a function, an exporter. A sum adds a second map, activations and pools leave the origins as they are,
normalisations change the factors. What mixes channels in any other way ends the trail, and its readers say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch.utils.weak import WeakTensorKeyDictionary

from analysis.models.heads import heads_of
from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped, tensors_in


def _listing(names: str) -> frozenset[str]:
    return frozenset(names.split())


MOVING = _listing(
    "view _unsafe_view reshape _reshape_alias alias detach clone contiguous squeeze unsqueeze flatten expand permute "
    "transpose t slice select split split_with_sizes unbind index_select index cat stack flip roll repeat "
    "pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle constant_pad_nd reflection_pad2d "
    "replication_pad2d"
)
"""Operators that move numbers and change none."""
PASSING = _listing(
    "relu relu6 leaky_relu prelu _prelu_kernel silu gelu hardswish elu selu celu mish softplus hardtanh tanh clamp "
    "clamp_min clamp_max dropout native_dropout _to_copy to lift_fresh"
)
"""Operators behind which each number is still that of its channel, by and large as it was."""
SQUASHES = _listing("sigmoid hardsigmoid _softmax softmax _log_softmax log_softmax")
"""As these, and made to weigh something else: multiplied with another map they are its gate."""
POOLS = _listing(
    "max_pool1d max_pool2d max_pool2d_with_indices max_pool3d_with_indices mkldnn_max_pool2d avg_pool1d avg_pool2d "
    "avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d adaptive_max_pool2d upsample_nearest2d "
    "_upsample_nearest_exact2d upsample_bilinear2d _upsample_bilinear2d_aa upsample_bicubic2d"
)
"""Operators that take the values of one channel together over places."""
MOST_TERMS = 96
"""Branches that a sum is followed through: a residual stream of as many blocks."""
_SHIFT = 1 << 24


@dataclass(frozen=True)
class Wires:
    """One entry a wire [n]: input number `at` is fed by `channel` of source number `source`, times `scale`."""

    at: np.ndarray
    source: np.ndarray
    channel: np.ndarray
    scale: np.ndarray

    def __add__(self, other: Wires) -> Wires:
        return Wires(*(np.concatenate([mine, theirs]) for mine, theirs in zip(_all(self), _all(other), strict=True)))


@dataclass(frozen=True)
class Reader:
    """A conv layer or a head, with what it reads.

    weights : [out, in ÷ groups, …] float32; of a head behind a linear layer, that layer's [classes, in]
    lost    : the operator behind which a part of what it reads is not known any more, empty where all of it is
    """

    weights: np.ndarray
    groups: int
    wires: Wires
    lost: str = ""


@dataclass(frozen=True)
class Wiring:
    """sources: the conv layers, by their number in `Wires.source`; readers by the name of the layer or head."""

    sources: tuple[str, ...]
    readers: Mapping[str, Reader]


@dataclass(frozen=True)
class _Term:
    """labels: of each number its channel's code, 0 for none; scale: its factor. Both have the tensor's shape."""

    labels: torch.Tensor
    scale: torch.Tensor


@dataclass(frozen=True)
class _Origin:
    """A tensor is the sum of its terms, and of what was lost at an operator. gate: made to weigh something else."""

    terms: tuple[_Term, ...]
    lost: str = ""
    gate: bool = False


class _WiringTap(ConvTap):
    """Follows the origin of every tensor on the way. Sources: conv layers, then the image, then linear layers."""

    def __init__(self, model: Model, image: torch.Tensor) -> None:
        super().__init__(self._convolve)
        self._layers = model.calls
        self.sources = tuple(layer.name for layer in model.card.layers)
        self._origins: Any = WeakTensorKeyDictionary()
        self._origins[image] = self._new(len(self.sources), image, 1)
        self.readers: dict[str, Reader] = {}
        self._linears: list[Reader] = []

    def _new(self, source: int, tensor: torch.Tensor, dim: int) -> _Origin:
        codes = 1 + source * _SHIFT + torch.arange(tensor.shape[dim], dtype=torch.float64)
        shape = [1] * tensor.dim()
        shape[dim] = -1
        ones = torch.ones((), dtype=torch.float64)
        return _Origin((_Term(codes.view(shape).expand(tensor.shape), ones.expand(tensor.shape)),))

    def _convolve(self, call: ConvCall) -> bool:
        name = self._layers[call.number]
        wires, lost = self._read(call.input, 1)
        weights = call.weight.detach().float().cpu().numpy()
        if call.transposed:  # kept as [in, out ÷ groups, …]
            weights = np.concatenate([part.swapaxes(0, 1) for part in np.split(weights, call.groups)])
        before = self.readers.get(name)
        found = Reader(weights, call.groups, wires, lost)
        self.readers[name] = replace(found, wires=before.wires + wires, lost=before.lost or lost) if before else found
        self._origins[call.output] = self._new(self.sources.index(name), call.output, 1)
        return True

    def _read(self, tensor: torch.Tensor, dim: int) -> tuple[Wires, str]:
        """The wires that end in a tensor's channels (those along `dim`), and where the rest was lost."""
        origin = self._origins.get(tensor)
        if origin is None:
            return _wires([]), "an operator that makes it anew"
        others = [each for each in range(tensor.dim()) if each != dim]
        found, fed = [], np.zeros(tensor.shape[dim], bool)
        lost = origin.lost
        for term in origin.terms:
            folded = _folded(term, others, keepdim=False)
            if folded is None:
                lost = lost or "an operator that mixes places"
                continue
            labels, scale = folded.labels.numpy().astype(np.int64), folded.scale.numpy()
            at = np.flatnonzero(labels)
            fed[at] = True
            found.append(Wires(at, (labels[at] - 1) // _SHIFT, (labels[at] - 1) % _SHIFT, scale[at]))
        wires = _wires(found)
        if (wires.source > len(self.sources)).any():
            lost = lost or "a linear layer"
        return wires, lost or ("" if fed.all() else "an operator that makes it anew")

    def other(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        output = func(*args, **kwargs)
        if any(tensor in self._origins for tensor in tensors_in([args, list(kwargs.values())])):
            outputs = tensors_in(output)
            name = func._schema.name.split("::")[1]
            name = name.rstrip("_") if not name.endswith("__") else name
            try:
                origins = self._follow(func, name, args, kwargs, output)
            except (RuntimeError, TypeError, ValueError, IndexError):  # a use of the operator not foreseen here
                origins = None
            for place, tensor in enumerate(outputs):
                known = origins is not None and place < len(origins)
                self._origins[tensor] = origins[place] if known and origins else _Origin((), name)
        return output

    def _follow(
        self, func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any], output: Any
    ) -> Sequence[_Origin] | None:
        """The origins of an operator's outputs; None where they are lost here."""
        out = tensors_in(output)[0]
        first = args[0] if args else None
        if name in MOVING:
            return self._moved(func, name, args, kwargs)
        if name in {"add", "sub"}:
            factor = float(kwargs.get("alpha", 1)) * (1 if name == "add" else -1)
            return [self._sum(first, args[1], factor, out.shape)]
        if name in {"mul", "div"}:
            found = self._product(first, args[1], name, out.shape)
            return None if found is None else [found]
        if name in {"mm", "addmm"}:
            return self._linear(args[-2], args[-1], out)
        origin = self._origins.get(first) if isinstance(first, torch.Tensor) else None
        return None if origin is None else _alone(origin, func, name, args, out)

    def _moved(self, func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[_Origin]:
        listed = isinstance(args[0], list | tuple)
        operands = list(args[0]) if listed else [args[0]]
        rest = args[1:2] if name == "constant_pad_nd" else args[1:]  # what is padded with comes from no channel
        origins = [self._origins.get(operand, _Origin(())) for operand in operands]
        lost = next((origin.lost for origin in origins if origin.lost), "")

        def move(parts: list[torch.Tensor]) -> list[torch.Tensor]:
            try:
                return tensors_in(func(parts if listed else parts[0], *rest, **kwargs))
            except RuntimeError:  # a view of numbers that do not lie one after the other
                solid = [part.contiguous() for part in parts]
                return tensors_in(func(solid if listed else solid[0], *rest, **kwargs))

        terms: list[list[_Term]] = []
        for place in range(max(len(origin.terms) for origin in origins)):
            blank = [torch.zeros((), dtype=torch.float64).expand(operand.shape) for operand in operands]
            chosen = [
                origin.terms[place] if place < len(origin.terms) else _Term(zero, zero)
                for origin, zero in zip(origins, blank, strict=True)
            ]
            labels, scales = move([term.labels for term in chosen]), move([term.scale for term in chosen])
            terms.append([_Term(*pair) for pair in zip(labels, scales, strict=True)])
        gate = all(origin.gate for origin in origins)
        if not terms:
            return [_Origin((), lost, gate)]
        return [_Origin(tuple(each), lost, gate) for each in zip(*terms, strict=True)]

    def _sum(self, a: Any, b: Any, factor: float, shape: torch.Size) -> _Origin:
        one, two = (self._origins.get(x) if isinstance(x, torch.Tensor) else None for x in (a, b))
        two = two and _scaled(two, torch.tensor(factor, dtype=torch.float64))
        parts = [origin for origin in (one, two) if origin is not None]
        terms = tuple(_spread(term, shape) for origin in parts for term in origin.terms)
        lost = next((origin.lost for origin in parts if origin.lost), "")
        if len(terms) > MOST_TERMS:
            terms, lost = terms[-MOST_TERMS:], lost or f"a sum of more than {MOST_TERMS} branches"
        return _Origin(terms, lost, all(origin.gate for origin in parts))

    def _product(self, a: Any, b: Any, name: str, shape: torch.Size) -> _Origin | None:
        one, two = (self._origins.get(x) if isinstance(x, torch.Tensor) else None for x in (a, b))
        if one is None or two is None:
            origin, constant = (one, b) if one is not None else (two, a)
            if origin is None or (name == "div" and one is None):
                return None
            factor = torch.as_tensor(constant).detach().double().cpu()
            factor = 1 / factor if name == "div" else factor
            return _scaled(replace(origin, terms=tuple(_spread(term, shape) for term in origin.terms)), factor)
        if name == "div":
            return None
        if one.gate != two.gate:  # the gate's own channels weigh what is read; they are not read
            kept = two if one.gate else one
        elif a.numel() != b.numel():
            kept = one if a.numel() > b.numel() else two
        else:
            return None
        return replace(kept, terms=tuple(_spread(term, shape) for term in kept.terms))

    def _linear(self, x: Any, weight: Any, out: torch.Tensor) -> list[_Origin] | None:
        if x not in self._origins or weight in self._origins:
            return None
        wires, lost = self._read(x, 1)
        number = len(self.sources) + 1 + len(self._linears)
        self._linears.append(Reader(weight.detach().float().cpu().numpy().T, 1, wires, lost))
        return [self._new(number, out, 1)]

    def read_head(self, name: str, head: torch.Tensor) -> None:
        """A head [1, K]: behind a linear layer that layer's weights, else each class is the channel it comes from."""
        wires, lost = self._read(head, 1)
        first = len(self.sources) + 1
        linear = {int(source) for source in wires.source}
        if len(linear) == 1 and len(wires.at) == head.shape[1] and (number := linear.pop() - first) >= 0:
            behind = self._linears[number]
            weights = behind.weights[wires.channel] * wires.scale[:, None].astype(np.float32)
            self.readers[name] = Reader(weights, 1, behind.wires, behind.lost)
        else:
            one_to_one = np.ones((head.shape[1], 1, 1, 1), np.float32)
            self.readers[name] = Reader(one_to_one, head.shape[1], wires, lost)


def wiring_of(model: Model) -> Wiring:
    """What every conv layer and every head of a model reads. Found once a model."""
    if model.module not in _known:
        _known[model.module] = _find(model)
    return _known[model.module]


_known: WeakKeyDictionary[torch.nn.Module, Wiring] = WeakKeyDictionary()


def _find(model: Model) -> Wiring:
    spec = model.card.input
    image = spec.prepare(torch.full((1, spec.channels, spec.height, spec.width), 0.5))
    tap = _WiringTap(model, image)

    def forward() -> None:
        for name, head in heads_of(model.module(image)).items():
            if model.card.is_head(name):
                tap.read_head(name, head)

    with torch.no_grad():
        run_tapped(tap, forward)
    listed = {name: replace(each, wires=_listed(each.wires, len(tap.sources))) for name, each in tap.readers.items()}
    return Wiring(tap.sources, listed)


def _listed(wires: Wires, count: int) -> Wires:
    """Without those from the image and from linear layers."""
    kept = wires.source < count
    return Wires(*(array[kept] for array in _all(wires)))


def _all(wires: Wires) -> tuple[np.ndarray, ...]:
    return wires.at, wires.source, wires.channel, wires.scale


def _wires(parts: Sequence[Wires]) -> Wires:
    none = np.zeros(0, np.int64)
    found = Wires(none, none, none, np.zeros(0))
    for part in parts:
        found = found + part
    return found


def _alone(origin: _Origin, func: Any, name: str, args: Sequence[Any], out: torch.Tensor) -> Sequence[_Origin] | None:
    """What an operator on one tensor leaves of its origin; None where it is lost."""
    shape = args[0].shape
    if (name in PASSING or name in SQUASHES) and out.shape == shape:
        return [replace(origin, gate=origin.gate or name in SQUASHES)]
    if name in POOLS:
        return _folds(origin, [dim for dim in range(out.dim()) if out.shape[dim] != shape[dim]], True, out.shape)
    if name in {"mean", "amax"} and len(args) > 1 and args[1]:
        return _folds(origin, [dim % len(shape) for dim in args[1]], out.dim() == len(shape), out.shape)
    if name == "neg":
        return [_scaled(origin, torch.tensor(-1.0, dtype=torch.float64))]
    return [_scaled(origin, _gain(func, name, args, len(shape)))] if "norm" in name else None


def _spread(term: _Term, shape: torch.Size) -> _Term:
    return _Term(term.labels.expand(shape), term.scale.expand(shape))


def _scaled(origin: _Origin, factor: torch.Tensor) -> _Origin:
    return replace(origin, terms=tuple(_Term(term.labels, _times(term.scale, factor)) for term in origin.terms))


def _times(scale: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Multiplied number by number; what is the same at all places stays written once."""
    shape = scale.shape
    for dim in range(scale.dim()):
        if scale.stride(dim) == 0:
            scale = scale.narrow(dim, 0, 1)
    return (scale * factor).expand(shape)


def _gain(func: Any, name: str, args: Sequence[Any], rank: int) -> torch.Tensor:
    """What a normalisation multiplies each channel by, to be broadcast; without what depends on the image."""
    values = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)}
    weight, variance = values.get("weight"), values.get("running_var")
    gain = torch.ones(()) if weight is None else weight.detach().double().cpu()
    if variance is not None:
        gain = gain / (variance.detach().double().cpu() + values["eps"]).sqrt()
    if gain.dim() == 0 or "layer_norm" in name:
        return gain.double()
    return gain.view(-1, *[1] * (rank - 2)).double()


def _folds(origin: _Origin, dims: Sequence[int], keepdim: bool, shape: torch.Size) -> list[_Origin] | None:
    """The places along some dimensions taken together, all channels staying apart; None where they do not."""
    folded = [_folded(term, dims, keepdim) for term in origin.terms]
    if any(term is None for term in folded):
        return None
    return [replace(origin, terms=tuple(_spread(term, shape) for term in folded if term is not None))] * 2


def _folded(term: _Term, dims: Sequence[int], keepdim: bool) -> _Term | None:
    """One label over these dimensions, None where there are several. Places that come from no channel do not count."""
    labels, scale = term.labels, term.scale
    for dim in dims:  # what is written once needs no look at every place
        if labels.stride(dim) == 0 and scale.stride(dim) == 0:
            labels, scale = labels.narrow(dim, 0, 1), scale.narrow(dim, 0, 1)
    if not dims:
        return term
    some = labels != 0
    most = labels.amax(tuple(dims), keepdim=True)
    if (some & (labels != most)).any():
        return None
    count = some.sum(tuple(dims), keepdim=True).clamp(min=1)
    mean = (scale * some).sum(tuple(dims), keepdim=True) / count
    return _Term(most, mean) if keepdim else _Term(most.squeeze(tuple(dims)), mean.squeeze(tuple(dims)))
