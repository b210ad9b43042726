"""What a build is asked for, as it stands in the job table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

EVERYTHING = ("weights", "circuits", "statistics", "exemplars", "outputs", "images", "heat", "features")
"""The techniques of a whole build."""
WITHOUT_IMAGES = ("weights", "circuits", "features")
WEIGHTS_ONLY = ("weights",)


def possible(weights_only: bool, with_images: bool) -> Sequence[str]:
    """The techniques that can be made of what there is."""
    if weights_only:
        return WEIGHTS_ONLY
    return EVERYTHING if with_images else WITHOUT_IMAGES


class BuildRequest(BaseModel):
    """model: id in the library · images: where they are, None for none · layers (conv layers and heads), channels: None
    for all · later: other builds go first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    images: str | None = None
    image_options: Mapping[str, Any] = Field(default_factory=dict)
    layers: tuple[str, ...] | None = None
    channels: tuple[int, ...] | None = None
    techniques: Mapping[str, Mapping[str, Any]]
    later: bool = False


class RenderRequest(BaseModel):
    """Pictures of one unit. atlas: id in the library · layer: a conv layer or a head · parameters: those of the
    technique `renders`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    atlas: str
    layer: str
    channel: int = Field(ge=0)
    parameters: Mapping[str, Any] = Field(default_factory=dict)


class DreamRequest(BaseModel):
    """model: id in the library · image: a file · strip: the same image through five layers · channel: None for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    image: str
    layer: str
    channel: int | None = None
    strip: bool = False
    parameters: Mapping[str, Any] = Field(default_factory=dict)


class LookRequest(BaseModel):
    """One image looked at. model: id in the library · atlas: whose statistics and pictures it is looked at with ·
    image: a file; else number: of an image in the atlas's probe · layers: whose caricatures are drawn; None: some."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    atlas: str | None = None
    image: str | None = None
    number: int | None = Field(default=None, ge=0)
    layers: tuple[str, ...] | None = None
