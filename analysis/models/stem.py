"""A known net whose first convolution somebody changed: other input channels, or a kernel for small images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import nn

from analysis.models.architectures import Match
from analysis.models.input_spec import InputSpec

SMALL = 32
"""px: the images of CIFAR, for which ResNets lose the stride and the pooling of their beginning."""


def _stem(state: Mapping[str, torch.Tensor], match: Match) -> tuple[str, list[int], list[int]] | None:
    """The first convolution's key, its shape here and in the zoo."""
    for key, shape in match.net.shapes.items():
        if shape.count("x") == 3 and key in state:
            return key, list(state[key].shape), [int(side) for side in shape.split("x")]
    return None


def fit_input(spec: InputSpec, state: Mapping[str, torch.Tensor], match: Match) -> InputSpec:
    """The zoo's input, with the number of channels and the size that this first convolution was changed for."""
    stem = _stem(state, match)
    if stem is None:
        return spec
    _, mine, theirs = stem
    if mine[2:] != theirs[2:] and mine[2] < theirs[2]:
        reason = "assumed: the first convolution was made for small images"
        evidence = {**spec.evidence, **dict.fromkeys(("height", "width", "mean", "std"), reason)}
        spec = replace(spec, height=SMALL, width=SMALL, crop=1.0, evidence=evidence)
    if theirs[1] != 3 or mine[1] == 3:
        return spec
    channels = mine[1]
    mean, std = sum(spec.mean) / len(spec.mean), sum(spec.std) / len(spec.std)
    order = "L" if channels == 1 else "planes"
    evidence = {**spec.evidence, "channels": "from the first convolution's weights"}
    means, stds = (mean,) * channels, (std,) * channels
    return replace(spec, channels=channels, order=order, mean=means, std=stds, evidence=evidence)


def fit_stem(module: nn.Module, state: Mapping[str, torch.Tensor], match: Match) -> list[str]:
    """Give the first convolution the stride and padding of its changed kernel, in place, before weights are put in.

    The usual change of a ResNet for CIFAR (He et al. 2015, section 4.2): a 3×3 kernel at stride 1, and no pooling.
    Returns what a person should know of it.
    """
    stem = _stem(state, match)
    if stem is None or stem[1][2:] == stem[2][2:]:
        return []
    key, mine, theirs = stem
    conv = module.get_submodule(key.rpartition(".")[0])
    if not isinstance(conv, nn.Conv2d):
        return []
    conv.kernel_size = (mine[2], mine[3])
    conv.padding = (mine[2] // 2, mine[3] // 2)
    said = (
        f"The first convolution has a {mine[2]}×{mine[3]} kernel where {match.net.name}'s has {theirs[2]}×{theirs[3]}"
    )
    if mine[2] > theirs[2]:
        return [f"{said}: its stride was left as it is. Say --architecture my_net.py:MyNet --trust if yours differs."]
    conv.stride = (1, 1)
    pooled = isinstance(getattr(module, "maxpool", None), nn.Module)
    if pooled:
        module.maxpool = nn.Identity()
    usual = "stride 1 and no pooling after it" if pooled else "stride 1"
    return [
        f"{said}: taken as the usual change for images of {SMALL}×{SMALL} px, {usual}. "
        "Say --architecture my_net.py:MyNet --trust if yours differs."
    ]
