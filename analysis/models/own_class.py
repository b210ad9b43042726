"""A person's own class, from their own Python file: it runs their code, so only where they said --trust."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from analysis.models.errors import ModelError


def is_own_class(architecture: str | None) -> bool:
    """`my_net.py:MyNet` rather than the name of a known net."""
    return architecture is not None and ".py:" in architecture


def build_own_class(architecture: str, arguments: Mapping[str, Any], trust: bool) -> nn.Module:
    """`my_net.py:MyNet` → MyNet(**arguments). Raises ModelError, saying what to do, for whatever goes wrong there."""
    text, _, name = architecture.rpartition(":")
    path = Path(text)
    if not trust:
        raise ModelError(f"{path.name} is Python code, which is not run unasked. Say --trust if you trust it.")
    if not path.is_file():
        raise ModelError(f"There is no file {path}. Give the path of the Python file that defines {name}.")
    spec = importlib.util.spec_from_file_location(f"strata_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path} is not a Python file. Give the one that defines {name}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
        made = getattr(module, name)(**arguments)
    except Exception as error:  # anything: it is their code
        raise ModelError(
            f"{name} of {path.name} could not be made: {type(error).__name__}: {error}. "
            f"{_arguments_of(module, name)} Give them with --architecture-args '{{\"depth\": 20}}'."
        ) from error
    finally:
        sys.path.remove(str(path.parent.resolve()))
    if not isinstance(made, nn.Module):
        raise ModelError(f"{name} of {path.name} is no torch.nn.Module. Name the class of your net.")
    return made


def _arguments_of(module: Any, name: str) -> str:
    made = getattr(module, name, None)
    if made is None:
        known = [key for key, value in vars(module).items() if isinstance(value, type) and issubclass(value, nn.Module)]
        return f"The file defines {', '.join(known) or 'no net'}."
    try:
        return f"It takes {inspect.signature(made)}."
    except (TypeError, ValueError):
        return ""


def check_keys(module: nn.Module, state: Mapping[str, torch.Tensor], name: str, partial: bool) -> None:
    """Raises ModelError, listing them, where more than the head is missing, unless `partial`."""
    wanted = {key for key in module.state_dict() if not key.endswith("num_batches_tracked")}
    given = {key for key in state if not key.endswith("num_batches_tracked")}
    missing, unexpected = sorted(wanted - given), sorted(given - wanted)
    if partial or not set(missing) - head_keys(module):
        return
    raise ModelError(
        f"The weights do not fit {name}: {_listed('missing', missing)}{_listed('unexpected', unexpected)} "
        "Give the arguments it was trained with, or --partial to leave what is missing untrained."
    )


def head_keys(module: nn.Module) -> set[str]:
    """The keys of the last layer that has weights."""
    leaves = [path for path, part in module.named_modules() if part._parameters]
    last = leaves[-1] if leaves else ""
    return {key for key in module.state_dict() if key.rpartition(".")[0] == last}


def _listed(what: str, keys: list[str]) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - 6} more" if len(keys) > 6 else ""
    return f"{what} {', '.join(keys[:6])}{more}; "
