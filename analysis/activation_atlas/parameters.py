"""What a person may set of an activation atlas."""

from __future__ import annotations

from pydantic import Field

from analysis import technique


class AtlasParameters(technique.Parameters):
    positions: int = Field(
        default=4000, ge=50, le=100_000, description="Places that are read, evenly over the images, up to 16 in each"
    )
    cells: int = Field(default=24, ge=2, le=64, description="Columns of cells, at most; two fifths as many rows")
    fewest: int = Field(default=4, ge=1, le=1000, description="Places that a cell must hold to be drawn")
    steps: int = Field(default=40, ge=1, le=1024, description="Optimisation steps of a cell's picture")
    size: int = Field(default=80, ge=16, le=512, description="Short side of a cell's picture, px, at most")
    examples: int = Field(default=5, ge=0, le=12, description="Real patches kept of each cell")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Same seed, same atlas")
