"""Weights without a net: find whose they are, build it, put them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from analysis.models import zoo
from analysis.models.architectures import Match, find, recognise
from analysis.models.errors import ModelError
from analysis.models.fingerprint import strip_prefixes, unwrap, weights_of
from analysis.models.known_input import known_input
from analysis.models.opened import Opened

EXPORT = (
    "model.eval()\ntorch.onnx.export(model, torch.rand(1, 3, 224, 224), “model.onnx”, opset_version=17, dynamo=False)"
)


def open_state_dict(content: Any, name: str, architecture: str | None) -> Opened:
    """A checkpoint's content, already read → the net with these weights in it.

    Raises ModelError where there are no weights in it, or nobody known has such weights.
    """
    state, way = unwrap(content)
    if not any(tensor.dim() >= 2 and tensor.is_floating_point() for tensor in state.values()):
        raise ModelError(f"{name} holds no weights of a net. Give the file that your training saved its weights to.")
    state, prefix = strip_prefixes(state)
    state = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    matches = recognise(weights_of(state))
    match = _chosen(state, matches, architecture, name)
    module = zoo.build(match.net.zoo, match.net.name)
    warnings = put(module, state, match.net.head)
    spec = known_input(match.net.zoo, match.net.name)
    spec = _fit_channels(spec, state, match)
    where = f" (found under {' → '.join(way)})" if way else ""
    where += f", prefix “{prefix}” taken off" if prefix else ""
    fitting = f"{match.score:.0%} of the tensors fit by name and shape"
    return Opened(
        module=module,
        spec=spec,
        format="state dict",
        architecture=match.net.name,
        evidence=f"The weights{where} are those of {match.net.zoo}'s {match.net.name}: {fitting}.",
        warnings=tuple(warnings),
        alternatives=tuple(other.net.name for other in matches if other.net != match.net),
    )


def _chosen(state: Mapping[str, torch.Tensor], matches: list[Match], architecture: str | None, name: str) -> Match:
    if architecture is not None:
        named = next((match for match in matches if match.net.name == architecture), None)
        return named or find(architecture, weights_of(state))
    if not matches:
        raise ModelError(
            f"{name} holds weights of no architecture that Strata knows. Name it with --architecture, or export the "
            f"model to ONNX where you trained it: {EXPORT}"
        )
    return matches[0]


def _fit_channels(spec: Any, state: Mapping[str, torch.Tensor], match: Match) -> Any:
    """The stem's own number of input channels, where it is not the zoo's."""
    for key, shape in match.net.shapes.items():
        if shape.count("x") == 3 and key in state:
            channels = state[key].shape[1]
            if shape.split("x")[1] == "3" and channels != 3:
                mean, std = sum(spec.mean) / len(spec.mean), sum(spec.std) / len(spec.std)
                order = "L" if channels == 1 else "planes"
                return replace(spec, channels=channels, order=order, mean=(mean,) * channels, std=(std,) * channels)
            return spec
    return spec


def put(module: nn.Module, state: Mapping[str, torch.Tensor], head: frozenset[str]) -> list[str]:
    """Put weights into a module, in place; a tensor of another shape (head, stem) replaces the module's own.

    Returns what a person should know of tensors that did not find a place.
    """
    own = module.state_dict()
    for key in own.keys() & state.keys():
        if own[key].shape != state[key].shape:
            _replace(module, key, state[key])
    missing, unexpected = module.load_state_dict(dict(state), strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    said = []
    if missing:
        which = "the classifier head" if set(missing) <= head else "some tensors"
        said.append(f"The file lacks {which} ({_few(missing)}): what comes after them shows nothing learned.")
    if unexpected:
        said.append(f"Tensors of the file that the net has no place for were left out: {_few(unexpected)}.")
    return said


def _replace(module: nn.Module, key: str, tensor: torch.Tensor) -> None:
    path, _, leaf = key.rpartition(".")
    owner = module.get_submodule(path)
    if leaf in owner._parameters:
        setattr(owner, leaf, nn.Parameter(torch.empty_like(tensor)))
    else:
        owner.register_buffer(leaf, torch.empty_like(tensor))


def _few(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")
