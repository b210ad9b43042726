"""Keys and shapes of a state dict, cleaned of what training scripts wrap around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

Shapes = dict[str, tuple[int, ...]]
LEAST_INSIDE = 5
"""Convolutions that a part of a larger net must have to be looked for among known nets."""

PREFIXES = (
    *("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.", "student.", "teacher."),
    *("ema.", "base_model.", "_model.", "body.", "cnn."),
)
WRAPPERS = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "ema_state_dict", "state_dict_ema"),
    *("model_ema", "ema", "module", "weights", "params", "params_ema", "generator", "netG"),
)


def weights_of(state: Mapping[str, Any]) -> Shapes:
    """Key → shape of every tensor but batch norm's counters, which older files lack."""
    return {
        key: tuple(value.shape)
        for key, value in state.items()
        if isinstance(value, torch.Tensor) and not key.endswith("num_batches_tracked")
    }


def unwrap(content: Any, depth: int = 3) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """The state dict inside of a checkpoint, and the way to it (`("state_dict",)`); empty where there is none."""
    if not isinstance(content, Mapping):
        return {}, ()
    direct = {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}
    best, way = direct, tuple[str, ...]()
    if depth and not any("." in key for key in direct):
        known = [name for name in WRAPPERS if isinstance(content.get(name), Mapping)]
        others = [key for key, value in content.items() if isinstance(value, Mapping) and key not in known]
        for name in [*known, *others]:
            inner, rest = unwrap(content[name], depth - 1)
            if _convolutions(inner) and not _convolutions(best):
                best, way = inner, (str(name), *rest)
    return best, way


def _convolutions(state: Mapping[str, torch.Tensor]) -> int:
    return sum(tensor.dim() in (3, 4, 5) for tensor in state.values())


def strip_prefixes(state: Mapping[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The state as it is, and with one prefix more taken off each time: [(state, prefix taken off)].

    A prefix is taken off where it stands before most keys; a few beside it (a new head beside a `backbone.`) are left
    as they are. Which of the states is meant shows when they are compared with known nets: some have a `backbone.` of
    their own.
    """
    states = [(dict(state), "")]
    while True:
        keys, taken = states[-1]
        prefix = next((p for p in PREFIXES if sum(key.startswith(p) for key in keys) > 0.5 * len(keys)), None)
        if prefix is None:
            return states
        inside = {key.removeprefix(prefix): value for key, value in keys.items() if key.startswith(prefix)}
        beside = {key: value for key, value in keys.items() if not key.startswith(prefix) and key not in inside}
        states.append(({**inside, **beside}, taken + prefix))


def parts_of(state: Mapping[str, Any], where: str = "") -> list[tuple[dict[str, Any], str]]:
    """Nets inside of a larger one (`encoder_q.`, `generator.`): [(its state, `where` and a clause naming it)].

    What stands behind one path of one or two names, with convolutions in it; the largest first.
    """
    paths: dict[str, int] = {}
    for key, value in state.items():
        names = key.split(".")[:-1]
        for path in {".".join(names[:1]), ".".join(names[:2])} - {""}:
            paths[path] = paths.get(path, 0) + (value.dim() == 4)
    convs = sum(value.dim() == 4 for value in state.values())
    parts = []
    for path, count in sorted(paths.items(), key=lambda item: -item[1]):
        if LEAST_INSIDE <= count < convs:
            inside = {key.removeprefix(f"{path}."): value for key, value in state.items() if key.startswith(f"{path}.")}
            parts.append((inside, f"{where} in “{path}.”, {count} of the file's {convs} convolutions,"))
    return parts
