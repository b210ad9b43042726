"""What a person may set of feature visualization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from analysis import technique


class Parameters(technique.Parameters):
    """What a person may set of any picture."""

    steps: int = Field(
        default=48,
        ge=1,
        le=4096,
        description="Most optimisation steps for one picture",
    )
    size: int | None = Field(
        default=None, ge=8, le=2048, description="Short side of a picture, px; by default what the layer can see"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Same seed, same picture")
    attempts: int = Field(default=1, ge=1, le=16, description="Seeds that are tried for each picture; the best is kept")
    retries: int = Field(
        default=3,
        ge=0,
        le=8,
        description="How often a picture is tried anew that another channel answers more, or a real image beats",
    )
    negative: bool = Field(default=False, description="What the channel is most against, instead of for")
    site: Literal["conv", "norm", "activation"] = Field(
        default="conv", description="Where the layer is read: its own output, after its norm, after its non-linearity"
    )
    distinct: float = Field(
        default=1.0, ge=0, le=10, description="How much it counts that no other channel answers more strongly"
    )
    freedom: float | None = Field(
        default=None, ge=0, le=1, description="0: frequencies as strong as in the probe, 1: free; by default by depth"
    )
    contrast: float | None = Field(
        default=None, gt=0, le=4, description="1: at most as strong as the probe's own images; by default by depth"
    )
    rate: float = Field(default=0.15, gt=0, le=10, description="Learning rate")
    patience: int = Field(default=12, ge=4, le=1024, description="Stop after so many steps that gained nothing")
    batch: int | None = Field(
        default=None, ge=1, le=256, description="Pictures optimised side by side; by default by their size"
    )

    precision: Literal["mixed", "full"] = Field(
        default="mixed", description="mixed: the net runs in bfloat16 where the processor computes that; full: never"
    )

    @property
    def sign(self) -> float:
        return -1.0 if self.negative else 1.0


class AtlasParameters(Parameters):
    """What a person may set of the pictures of an atlas."""

    sketch: int = Field(
        default=8, ge=0, le=16, description="Steps of the quick pictures that come first; 0: none; no part of the fine"
    )


class PortraitParameters(Parameters):
    """What a person may set of the pictures of one unit alone. `attempts`, `retries` and `batch` are for one face of a
    channel: several faces, and all other goals, are drawn once and together."""

    faces: int = Field(default=1, ge=1, le=16, description="Pictures of the unit that differ as much as they can")
    diversity: float = Field(default=1.0, ge=0, le=10, description="How much it counts that the faces differ")
    goal: Literal["channel", "neuron", "energy"] = Field(
        default="channel",
        description="The mean of the channel's map, the middle of it alone, or the energy of the whole layer",
    )
    twin: bool = Field(
        default=False, description="Also what the same net draws with random weights, to tell the model from the prior"
    )
    mix: Mapping[int, float] = Field(
        default_factory=dict, description="Other channels of the layer and how much they count beside it: {3: -1}"
    )

    @property
    def of_channel(self) -> bool:
        """Whether what is asked for is the channel's own mean, as in an atlas."""
        return self.goal == "channel" and not self.mix
