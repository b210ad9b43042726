"""Read the tensors out of any pickle without importing or running anything that it names.

Whatever a pickle asks for is replaced by a stand-in that swallows every call, but for the handful of names that
PyTorch itself writes for tensors. So a whole pickled model gives up its weights, and the names of the classes that
opening it in earnest would import.
"""

from __future__ import annotations

import collections
import pickle
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch


class StandIn:
    """In the place of an object whose class is not imported: keeps what the pickle would give it."""

    stands_for = "?"
    state: dict[Any, Any]
    items: list[Any]

    def __new__(cls, *arguments: Any, **named: Any) -> StandIn:
        self = object.__new__(cls)
        self.state = {}
        self.items = list(arguments)
        return self

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __call__(self, *arguments: Any, **named: Any) -> StandIn:
        return self

    def __setstate__(self, state: Any) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.state.update(part)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.state[key] = value

    def append(self, value: Any) -> None:
        self.items.append(value)

    def extend(self, values: Any) -> None:
        self.items.extend(values)


def _rebuild_parameter(tensor: torch.Tensor, *unused: Any) -> torch.Tensor:
    return tensor


_SAFE: dict[str, Any] = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor": torch._utils._rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
    "torch.Size": tuple,
    "torch.nn.parameter.Parameter": _rebuild_parameter,
    **{
        f"{module}.{name}": kind
        for module in ("builtins", "__builtin__")
        for name, kind in {"dict": dict, "list": list, "tuple": tuple, "set": set, "frozenset": frozenset}.items()
    },
}
_STORAGES = {name for name in vars(torch) if name.endswith("Storage")}


class _Names:
    """What one pickle asked for."""

    def __init__(self) -> None:
        self.foreign: set[str] = set()

    def find(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _SAFE:
            return _SAFE[full]
        if module in {"torch", "torch.storage"} and name in _STORAGES | {"UntypedStorage", "TypedStorage"}:
            return getattr(torch, name)
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        self.foreign.add(full)
        return type(name, (StandIn,), {"stands_for": full})


def read_inert(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The content of a file that `torch.save` wrote, and every name that it would import, sorted.

    Objects of classes are stand-ins. Raises whatever torch raises for damage.
    """
    names = _Names()

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            return names.find(module, name)

    def load(file: Any, **options: Any) -> Any:
        return Unpickler(file, **options).load()

    module = SimpleNamespace(Unpickler=Unpickler, load=load, __name__="inert")
    content = torch.load(path, map_location="cpu", pickle_module=module, weights_only=False)
    return content, tuple(sorted(names.foreign))


def as_mappings(content: Any, depth: int = 40) -> Any:
    """The same content with every pickled module turned into its state dict, the way `module.state_dict()` has it."""
    if isinstance(content, StandIn) and "_modules" in content.state:
        return _state_of(content, "", depth)
    if isinstance(content, Mapping):
        return {key: as_mappings(value, depth - 1) for key, value in content.items()} if depth else {}
    return content


def _state_of(module: StandIn, prefix: str, depth: int) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for kind in ("_parameters", "_buffers"):
        for name, tensor in _items(module.state.get(kind)):
            if isinstance(tensor, torch.Tensor):
                found[f"{prefix}{name}"] = tensor
    for name, inner in _items(module.state.get("_modules")):
        if isinstance(inner, StandIn) and depth:
            found.update(_state_of(inner, f"{prefix}{name}.", depth - 1))
    return found


def _items(values: Any) -> list[tuple[Any, Any]]:
    return list(values.items()) if isinstance(values, Mapping) else []


def module_classes(foreign: tuple[str, ...]) -> tuple[str, ...]:
    """Of the names that a pickle would import, those a person wrote: not torch's own layers."""
    return tuple(name for name in foreign if not name.startswith(("torch.nn.modules.", "torch.nn.parameter.")))
