"""What a model expects to see: channels, size, value range, order, normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # cards are read where no torch is loaded (the dashboard)
    import torch

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class InputSpec:
    """How an image in [0, 1] becomes what the model was trained on, and why we think so.

    channels, height, width : of one input; any number of channels, not necessarily square
    mean, std               : per channel, in units of `range`
    range                   : the values that black and white have before mean and std: (0, 1), (0, 255), (−1, 1) …
    order                   : "RGB" or "BGR" for three channels, "L" for one, "planes" for any other number
    crop                    : share of the resized image's short side that the centre crop keeps, 1 = all of it
    any_size                : True where the net runs at other sizes too (fully convolutional, or pooled to a point)
    evidence                : field name → one clause of where its value comes from ("from the ONNX graph", "assumed …")
    """

    channels: int = 3
    height: int = 224
    width: int = 224
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    range: tuple[float, float] = (0.0, 1.0)
    order: str = "RGB"
    crop: float = 0.875
    any_size: bool = False
    evidence: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, images: torch.Tensor) -> torch.Tensor:
        """[B, channels, H, W] in [0, 1], RGB → the same in the model's own order, range and normalisation.

        Differentiable, any H and W.
        """
        if self.order == "BGR":
            images = images.flip(1)
        low, high = self.range
        shape = (1, -1, 1, 1)
        mean = images.new_tensor(self.mean).view(shape)
        std = images.new_tensor(self.std).view(shape)
        return (images * (high - low) + low - mean) / std

    def values(self) -> dict[str, Any]:
        """What it says, without how that is known: what results depend on."""
        return {name: value for name, value in self.to_json().items() if name != "evidence"}

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> InputSpec:
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()
        }
        return cls(**known)
