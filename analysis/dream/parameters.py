"""What a person may set of a dream."""

from __future__ import annotations

from pydantic import Field

from analysis import technique


class DreamParameters(technique.Parameters):
    octaves: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="Sizes the image is dreamed at, small to full; by default as many as fit the net",
    )
    octave_scale: float = Field(
        default=1.4, ge=1.1, le=3, description="How much larger each octave is than the one before"
    )
    steps: int = Field(default=12, ge=1, le=500, description="Steps an octave")
    step_size: float = Field(
        default=0.006, gt=0, le=0.2, description="Mean change of a pixel in one step, of a range of 1"
    )
    smoothing: float = Field(
        default=4.0, ge=0, le=16, description="Size of what is drawn most strongly, px; 0: the net's own grain"
    )
    colors: float = Field(default=0.8, ge=0, le=1, description="0: the net's own colours, 1: those of natural images")
    jitter: int = Field(
        default=32, ge=0, le=256, description="Random shift before every step, px, which hides the net's grid"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Same seed, same dream")
