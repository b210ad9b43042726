"""An open model, and the card that says everything about it without holding it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analysis.errors import StrataError
from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer

if TYPE_CHECKING:  # cards are read where no torch is loaded (the dashboard)
    import torch
    from torch import nn


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model, as plain facts: printed by `strata inspect --json`, kept in every atlas.

    id           : `<name>-<first 8 digits of sha256>`, the model's part of every unit address
    format       : "state dict" | "safetensors" | "onnx" | "torch.export" | "torchscript" | "pickled module"
    architecture : the net whose weights these are, None where the file itself says what to compute
    evidence     : one sentence: how the architecture was found
    alternatives : other architectures that these weights fit as well, likeliest first
    sha256       : of the file's content, and that of its side files
    rebuilt      : True where the net was put together by rule from names and shapes, and may differ
    side_files   : what it keeps in other files (ONNX external data), as paths from its folder
    verification : what was checked at opening, as figures (difference from onnxruntime, say)
    options      : what `open_model` needs to open the same file the same way again
    heads        : outputs that give one number a class, and how many: {"output": 1000} (analysis/models/heads.py)
    weights_only : True where no net is known that runs these weights: layers are listed from their tensors alone
    one_by_one   : True where a batch gives other results than its images alone, so images are run one at a time
    """

    id: str
    name: str
    format: str
    architecture: str | None
    evidence: str
    sha256: str
    input: InputSpec
    layers: tuple[ConvLayer, ...]
    warnings: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    verification: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    heads: Mapping[str, int] = field(default_factory=dict)
    one_by_one: bool = False
    weights_only: bool = False
    side_files: tuple[str, ...] = ()
    rebuilt: bool = False

    @property
    def computes(self) -> str:
        """Which net it is, in a few words for people."""
        if self.architecture is not None:
            return self.architecture
        if self.weights_only:
            return "not known"
        return "rebuilt by rule" if self.rebuilt else "told by the file itself"

    def layer(self, name: str) -> ConvLayer:
        """Raises StrataError, naming what there is, when the model has no such layer."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        some = ", ".join(layer.name for layer in self.layers[:3])
        raise StrataError(f"{self.name} has no layer “{name}”. Its conv layers begin with {some}.")

    def units(self, layer: str) -> int:
        """How many channels a conv layer has, or classes a head. Raises StrataError where there is neither."""
        known = {each.name: each.out_channels for each in self.layers}
        return known.get(layer) or self.heads.get(layer) or self.layer(layer).out_channels

    def is_head(self, layer: str) -> bool:
        """Whether this names an output; a conv layer of the same name goes first."""
        return layer in self.heads and all(each.name != layer for each in self.layers)

    def has_a_channel_a_class(self, layer: str) -> bool:
        """Whether this is the last conv layer and has as many channels as a head has classes, as where the answer is
        the mean of its map: its values are compared across channels, not with what each gives to other images."""
        last = self.layers[-1:]
        return any(each.name == layer and each.out_channels in self.heads.values() for each in last)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "format": self.format,
            "architecture": self.architecture,
            "evidence": self.evidence,
            "alternatives": list(self.alternatives),
            "sha256": self.sha256,
            "input": self.input.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
            "warnings": list(self.warnings),
            "verification": dict(self.verification),
            "options": dict(self.options),
            "heads": dict(self.heads),
            "one_by_one": self.one_by_one,
            "weights_only": self.weights_only,
            "side_files": list(self.side_files),
            "rebuilt": self.rebuilt,
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> ModelCard:
        known = {
            **facts,
            "input": InputSpec.from_json(facts["input"]),
            "layers": tuple(ConvLayer.from_json(layer) for layer in facts["layers"]),
            "warnings": tuple(facts["warnings"]),
            "alternatives": tuple(facts["alternatives"]),
            "side_files": tuple(facts.get("side_files", ())),
        }
        return cls(**known)


@dataclass(frozen=True)
class Model:
    """An open model: `module` in eval mode, float32, weights frozen, taking what `card.input.prepare` gives.

    calls : the layer of each convolution of a forward pass, in the order of the pass
    """

    module: nn.Module
    card: ModelCard
    calls: tuple[str, ...]

    def __call__(self, images: torch.Tensor) -> Any:
        """[B, C, H, W] in [0, 1], RGB, on any device → whatever the model returns, on its own."""
        return self.module(self.card.input.prepare(images.to(self.device)))

    @property
    def device(self) -> torch.device:
        """Where the weights lie and the net runs; the device of a tensor made by default where it has none."""
        import torch

        return next((weight.device for weight in self.module.parameters()), torch.empty(0).device)
