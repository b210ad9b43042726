"""Small nets of tutorials, rebuilt by rule: a plain chain conv → norm → activation → pool → linear.

A state dict keeps the layers' order and shapes; strides, padding and pooling leave no trace but one: the first linear
layer says how large the last map was. The rule looks for the plainest chain that ends at that size: stride 1, one
padding for all (none, "same", or 1), 2×2 max pooling after some convolutions, ReLU where no PReLU is stored. What
does not come out so is not rebuilt.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

SIZES = ((32, 28), (224, 64, 96, 128, 48, 100, 150, 256))
"""Input sizes to try: those of CIFAR and MNIST, which tutorials use, before the others."""
MOST_CONVOLUTIONS = 12


@dataclass(frozen=True)
class Part:
    """One layer of a state dict: its path, and its tensors by their last name."""

    path: str
    tensors: Mapping[str, torch.Tensor]

    @property
    def weight(self) -> torch.Tensor:
        return self.tensors["weight"]

    @property
    def kind(self) -> str:
        if "weight" not in self.tensors:
            return "other"
        if "running_mean" in self.tensors:
            return "norm"
        if self.weight.dim() == 1:
            return "other" if "bias" in self.tensors else "prelu"
        return {2: "linear", 4: "conv"}.get(self.weight.dim(), "other")


@dataclass(frozen=True)
class Geometry:
    size: int
    padding: str
    pools: tuple[int, ...]  # numbers of the convolutions that a pool follows


@dataclass(frozen=True)
class Rebuilt:
    """The net, the size it was rebuilt for, what was assumed, and whether other choices fit as well."""

    module: nn.Module
    size: int
    assumed: str
    ambiguous: bool


def parts_of(state: Mapping[str, torch.Tensor]) -> list[Part]:
    """The layers of a state dict, in its order."""
    grouped: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in state.items():
        path, _, leaf = key.rpartition(".")
        grouped.setdefault(path, {})[leaf] = tensor
    return [Part(path, tensors) for path, tensors in grouped.items()]


def rebuild(state: Mapping[str, torch.Tensor]) -> Rebuilt | None:
    """The chain whose weights these are, run once; None where they are none, or its shapes do not determine it."""
    parts = parts_of(state)
    convs = [part for part in parts if part.kind == "conv"]
    linears = [part for part in parts if part.kind == "linear"]
    if not convs or not linears or len(convs) > MOST_CONVOLUTIONS or not _is_chain(parts):
        return None
    channels, features = convs[-1].weight.shape[0], linears[0].weight.shape[1]
    side = round((features / channels) ** 0.5)
    if side * side * channels != features:
        return None
    found = list(itertools.islice(_geometries(convs, side), 2))
    if not found:
        return None
    module = Chain(parts, found[0]).eval()
    with torch.no_grad():
        module(torch.zeros(1, convs[0].weight.shape[1], found[0].size, found[0].size))
    pooled = ", ".join(convs[number].path for number in found[0].pools) or "nothing"
    assumed = f"stride 1, {found[0].padding} padding, 2×2 max pooling after {pooled}"
    return Rebuilt(module, found[0].size, assumed, len(found) > 1)


def _is_chain(parts: Sequence[Part]) -> bool:
    """Each layer takes what the one before gives; at the end several may share one source (heads)."""
    width, seen_linear, sources = 0, False, set[int]()
    for part in parts:
        shape = tuple(part.weight.shape) if "weight" in part.tensors else (0, 0)
        if part.kind == "other":
            return False
        if part.kind == "conv":
            if seen_linear or (width and shape[1] != width):
                return False
            width = shape[0]
        elif part.kind == "linear":
            if seen_linear and shape[1] != width and shape[1] not in sources:
                return False
            if seen_linear:
                sources.add(shape[1])
            width, seen_linear = shape[0], True
        elif shape[0] not in {1, width}:
            return False
    return True


def _geometries(convs: Sequence[Part], side: int) -> list[Geometry]:
    """Every choice that turns an input of a usual size into a last map of `side`, the plainest first."""
    kernels = [part.weight.shape[2] for part in convs]
    if any(part.weight.shape[2] != part.weight.shape[3] for part in convs):
        return []
    subsets = [pools for count in range(len(convs) + 1) for pools in itertools.combinations(range(len(convs)), count)]
    return [
        Geometry(size, padding, pools)
        for sizes in SIZES
        for padding, size, pools in itertools.product(("no", "same", "1 px of"), sizes, subsets)
        if _last_side(size, kernels, padding, pools) == side
    ]


def _pad(padding: str, kernel: int) -> int:
    return {"no": 0, "same": kernel // 2}.get(padding, 1)


def _last_side(size: int, kernels: Sequence[int], padding: str, pools: Sequence[int]) -> int:
    for number, kernel in enumerate(kernels):
        size += 2 * _pad(padding, kernel) - kernel + 1
        if size < 1:
            return 0
        size //= 2 if number in pools else 1
    return size


class Chain(nn.Module):
    """The rebuilt net. Layers sit at the paths of the file, so that they keep their names."""

    def __init__(self, parts: Sequence[Part], geometry: Geometry) -> None:
        super().__init__()
        self.steps: list[tuple[str, str]] = []  # (what, path)
        convs = 0
        last = [part.path for part in parts if part.kind == "linear"][-1]
        for number, part in enumerate(parts):
            self._place(part, geometry)
            if part.kind == "linear" and not any(what == "flatten" for what, _ in self.steps):
                self.steps.append(("flatten", ""))
            self.steps.append((part.kind, part.path))
            after = parts[number + 1].kind if number + 1 < len(parts) else "end"
            if part.path != last and after not in {"norm", "prelu"} and part.kind != "prelu":
                self.steps.append(("relu", ""))
            convs += part.kind == "conv"
            if convs - 1 in geometry.pools and after in {"conv", "linear", "end"} and part.kind != "linear":
                self.steps.append(("pool", ""))

    def _place(self, part: Part, geometry: Geometry) -> None:
        bias = "bias" in part.tensors
        shape = part.weight.shape
        module: nn.Module
        if part.kind == "conv":
            module = nn.Conv2d(shape[1], shape[0], shape[2], padding=_pad(geometry.padding, shape[2]), bias=bias)
        elif part.kind == "norm":
            module = nn.BatchNorm2d(shape[0])
        elif part.kind == "prelu":
            module = nn.PReLU(shape[0])
        else:
            module = nn.Linear(shape[1], shape[0], bias=bias)
        owner: nn.Module = self
        *way, leaf = part.path.split(".")
        for name in way:
            if name not in owner._modules:
                owner.add_module(name, nn.Module())
            owner = owner.get_submodule(name)
        owner.add_module(leaf, module)
        module.load_state_dict(dict(part.tensors), strict=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        for what, path in self.steps:
            if what == "relu":
                maps = maps.relu()
            elif what == "pool":
                maps = nn.functional.max_pool2d(maps, 2)
            elif what == "flatten":
                maps = maps.flatten(1)
            else:
                module = self.get_submodule(path)
                if isinstance(module, nn.Linear) and module.in_features != maps.shape[1]:
                    return maps  # a second head: it takes what the first one took, and has no convolution
                maps = module(maps)
        return maps
