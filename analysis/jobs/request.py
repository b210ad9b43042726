"""What jobs are asked for, as it stands in the job table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.dream.parameters import DreamParameters
from analysis.features.parameters import Parameters, PortraitParameters

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


REQUESTS: Mapping[str, type[BaseModel]] = {
    "build": BuildRequest,
    "render": RenderRequest,
    "dream": DreamRequest,
    "look": LookRequest,
}
PARAMETERS: Mapping[str, type[BaseModel]] = {
    "features": Parameters,
    "render": PortraitParameters,
    "dream": DreamParameters,
}
"""Of the techniques, and the kinds of jobs, whose parameters people set; read without torch, which the others bring."""


def meant(kind: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request as everybody writes it who means the same: its defaults written out, its paths without detours; not
    how soon. One that is none stays as it is: its job will say what is wrong."""
    try:
        whole = REQUESTS[kind](**request).model_dump(mode="json", exclude={"later"})
    except ValidationError:
        return request
    for name in ("image", "images"):
        if os.path.isabs(whole.get(name) or ""):
            whole[name] = os.path.realpath(whole[name])
    if kind == "build":
        whole["image_options"] = {"count": None, "seed": 0, **whole["image_options"]}
        whole["techniques"] = {name: _whole(name, values) for name, values in whole["techniques"].items()}
    if "parameters" in whole:
        whole["parameters"] = _whole(kind, whole["parameters"])
    return whole


def _whole(name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return PARAMETERS[name](**values).model_dump(mode="json") if name in PARAMETERS else values
    except ValidationError:
        return values
