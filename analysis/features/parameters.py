"""What a person may set of feature visualization."""

from __future__ import annotations

from pydantic import Field

from analysis import technique


class Parameters(technique.Parameters):
    steps: int = Field(default=64, ge=1, le=4096, description="Most optimisation steps for one picture")
    size: int | None = Field(
        default=None, ge=8, le=2048, description="Short side of a picture, px; by default what the layer can see"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Same seed, same picture")
    rate: float = Field(default=0.5, gt=0, le=10, description="Learning rate of the phases")
    contrast: float = Field(default=1.0, gt=0, le=4, description="1: as strong as the probe's own images")
    batch: int = Field(default=16, ge=1, le=256, description="Pictures optimised side by side")
