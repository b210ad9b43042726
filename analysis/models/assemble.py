"""From a torch module to a Model: frozen, run once, its conv layers listed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from analysis.models.errors import ModelError
from analysis.models.heads import heads_of
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model, ModelCard
from analysis.models.trace import layer_names, trace


@dataclass(frozen=True)
class Origin:
    """What the opener of a format knows of a file beside its module; the fields are those of ModelCard."""

    name: str
    format: str = "module"
    architecture: str | None = None
    evidence: str = "made in Python"
    sha256: str = ""
    warnings: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    verification: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    side_files: tuple[str, ...] = ()
    rebuilt: bool = False


def slug(text: str) -> str:
    """Lower-case, only letters, digits and `_.-`: the readable half of a model's id."""
    return re.sub(r"[^a-z0-9_.]+", "-", text.lower()).strip("-.") or "model"


def example_of(spec: InputSpec, count: int = 1, seed: int = 0) -> torch.Tensor:
    """[count, channels, height, width] of random numbers in [0, 1], the same for the same seed."""
    shape = (count, spec.channels, spec.height, spec.width)
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def freeze(module: nn.Module) -> nn.Module:
    """Eval mode, float32, no gradients for weights: they cost as much as the image's and nobody reads them."""
    module = module.eval().float()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def weights_hash(module: nn.Module) -> str:
    """sha256 of a module's weights, for models that no file holds."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def assemble(module: nn.Module, spec: InputSpec, origin: Origin, names: Mapping[int, str] | None = None) -> Model:
    """Freeze a module, run it once on random numbers and list its convolutions.

    `names`: where a weight's numbers lie → its layer's name, where the module's own names are not the ones to show.
    Raises ModelError when it does not run, or runs no convolution.
    """
    freeze(module)
    image = spec.prepare(example_of(spec))
    try:
        found = trace(module, image, layer_names(module) | dict(names or {}))
    except Exception as error:
        size = f"{spec.channels}×{spec.height}×{spec.width}"
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"{origin.name} does not run on an input of {size}: {reason}. "
            "Say which input it takes: --input channels=1 --input height=48 --input width=48, say."
        ) from error
    if not found.layers:
        raise ModelError(f"{origin.name} ran no convolution. Strata shows what convolutions learned: open a convnet.")
    sha256 = origin.sha256 or weights_hash(module)
    card = ModelCard(
        id=f"{slug(origin.architecture or origin.name)}-{sha256[:8]}",
        name=origin.name,
        format=origin.format,
        architecture=origin.architecture,
        evidence=origin.evidence,
        sha256=sha256,
        input=spec,
        layers=found.layers,
        warnings=origin.warnings,
        alternatives=origin.alternatives,
        verification=origin.verification,
        options=origin.options,
        heads={name: head.shape[1] for name, head in heads_of(found.output).items()},
        side_files=origin.side_files,
        rebuilt=origin.rebuilt,
    )
    return Model(module, card, found.calls)
