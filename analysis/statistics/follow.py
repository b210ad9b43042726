"""What follows a conv in the model: the per-channel scale and shift that make its output, and the activation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Follow:
    """From a conv's own output x to what the next layer sees: activation(scale·x + shift).

    scale, shift : [C] float32; ones and zeros where nothing is in between
    activation   : "relu", "relu6", "silu" …; None where none follows directly
    joined       : the normalised output is first added to another branch (a residual block), or concatenated
    norm         : the stored statistics of a batch normalisation that reads this conv: "mean", "variance", "weight",
                   "bias" [C] each, empty where none does
    """

    scale: np.ndarray
    shift: np.ndarray
    activation: str | None = None
    joined: bool = False
    norm: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def floor(self) -> float:
        """What the activation lets through at least: 0 after a ReLU, −inf where nothing is cut off."""
        return 0.0 if self.activation in RECTIFIERS else -np.inf

    @classmethod
    def nothing(cls, channels: int) -> Follow:
        return cls(np.ones(channels, np.float32), np.zeros(channels, np.float32))


RECTIFIERS = frozenset({"relu", "relu6"})
