"""The conv layers of a model: what they are called, their shapes, what each of their outputs sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ConvLayer:
    """One convolution (one weight tensor), wherever it is called from.

    name            : unique in the model, stable between openings; the weight's name without `.weight` where it has one
    kind            : "Conv1d" | "Conv2d" | "Conv3d" | "ConvTranspose1d" | "ConvTranspose2d" | "ConvTranspose3d"
    kernel_size, stride, padding, dilation : one number a spatial dimension
    receptive_field : px of the model's input, (height, width), that one output position can see; None: not an image net
    jump            : px of the input between neighbouring output positions, (height, width)
    offset          : px from the input's first row/column to the centre of what output position (0, 0) sees, (y, x)
    output_size     : (height, width) of its map at the input's nominal size
    parameters      : number of weights and biases
    sites           : how often it is called in one forward pass (a shared module is one layer with several sites)
    """

    name: str
    kind: str
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    parameters: int
    receptive_field: tuple[int, int] | None = None
    jump: tuple[float, float] | None = None
    offset: tuple[float, float] | None = None
    output_size: tuple[int, ...] | None = None
    sites: int = 1

    def to_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> ConvLayer:
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()
        }
        return cls(**known)
