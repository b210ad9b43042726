"""What follows a conv in the model: the per-channel scale and shift that make its output, and the activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

RECTIFIERS: Mapping[str, tuple[float, float]] = {"relu": (0.0, np.inf), "relu6": (0.0, 6.0)}
"""Activations that only cut off: name → what they let through, from and to."""


@dataclass(frozen=True)
class Follow:
    """From a conv's own output x to what the next layer sees: activation(scale·x + shift).

    scale, shift : [C] float32; ones and zeros where nothing is in between
    activation   : "relu", "relu6", "silu" …; None where none follows
    joined       : the normalised output is first added to another branch (a residual block): the activation is the
                   sum's, and what is measured “after” is the normalised output alone
    norm         : the stored statistics of a batch normalisation that reads this conv: "mean", "variance", "weight",
                   "bias" [C] each, empty where none does
    function     : the activation, where it does more than cut off; known in the process that found it alone
    """

    scale: np.ndarray
    shift: np.ndarray
    activation: str | None = None
    joined: bool = False
    norm: Mapping[str, np.ndarray] = field(default_factory=dict)
    function: Callable[[torch.Tensor], torch.Tensor] | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """What the activation lets through, from and to, of the normalised output itself."""
        own = None if self.joined else self.activation
        return RECTIFIERS.get(own or "", (-np.inf, np.inf))

    @property
    def silences(self) -> bool:
        """Whether a channel that is never above zero here lets nothing through: a ReLU follows."""
        return self.activation in RECTIFIERS

    def after(self, maps: np.ndarray) -> np.ndarray:
        """maps [n, C, N] float32 → the same after the normalisation and `function`."""
        assert self.function is not None
        with torch.no_grad():
            return self.function(torch.from_numpy(maps * self.scale[:, None] + self.shift[:, None])).numpy()

    def arrays(self) -> dict[str, np.ndarray]:
        plain = {"scale": self.scale, "shift": self.shift, "joined": np.array(self.joined)}
        plain["activation"] = np.array(self.activation or "")
        return plain | {f"norm.{name}": array for name, array in self.norm.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Follow:
        norm = {name.removeprefix("norm."): array for name, array in arrays.items() if name.startswith("norm.")}
        activation = str(arrays["activation"]) or None
        return cls(arrays["scale"], arrays["shift"], activation, bool(arrays["joined"]), norm)

    @classmethod
    def nothing(cls, channels: int) -> Follow:
        return cls(np.ones(channels, np.float32), np.zeros(channels, np.float32))
