"""What a person may set of feature visualization."""

from __future__ import annotations

from pydantic import Field

from analysis import technique


class Parameters(technique.Parameters):
    steps: int = Field(default=40, ge=1, le=4096, description="Most optimisation steps for one picture")
    size: int | None = Field(
        default=None, ge=8, le=2048, description="Short side of a picture, px; by default what the layer can see"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Same seed, same picture")
    negative: bool = Field(default=False, description="What the channel is most against, instead of for")
    distinct: float = Field(
        default=1.0, ge=0, le=10, description="How much it counts that no other channel answers more strongly"
    )
    freedom: float | None = Field(
        default=None, ge=0, le=1, description="0: frequencies as strong as in the probe, 1: free; by default by depth"
    )
    contrast: float | None = Field(
        default=None, gt=0, le=4, description="1: at most as strong as the probe's own images; by default by depth"
    )
    rate: float = Field(default=0.3, gt=0, le=10, description="Learning rate")
    patience: int = Field(default=12, ge=4, le=1024, description="Stop after so many steps that gained nothing")
    batch: int | None = Field(
        default=None, ge=1, le=256, description="Pictures optimised side by side; by default by their size"
    )
