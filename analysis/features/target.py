"""What pictures are made of: the units of a conv layer at one of its sites, or the classes of a head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features.cut import cut_at
from analysis.features.parameters import Parameters
from analysis.features.pooling import rectifies
from analysis.features.sites import Site, run_to_site
from analysis.features.size import View, view_of
from analysis.models.heads import run_head
from analysis.models.model import Model


@dataclass(frozen=True)
class Target:
    """The units of one layer, and how they are read.

    name      : the layer in a unit's address: a conv layer's, or a head's (`output`)
    units     : how many there are
    view      : how pictures are shown to the net
    rectified : whether a map is pooled above zero (analysis/features/pooling.py)
    """

    model: Model
    name: str
    site: Site
    units: int
    view: View
    rectified: bool

    def read(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] in [0, 1] as the net sees them → [N, units, h, w], differentiable."""
        if self.model.card.is_head(self.name):
            return run_head(self.model, pictures, self.name)
        cut = cut_at(self.model, self.name) if self.site == "conv" else None
        if cut is not None:
            return cut(pictures)
        return run_to_site(self.model, pictures, self.name, self.site)

    def maps(self, pictures: Tensor) -> Tensor:
        """The maps of whole pictures, [N, C, height, width] → [N, units, h, w] that see nothing but them."""
        seen = shown(pictures, self.view).contiguous(memory_format=torch.channels_last)
        return counted(self.read(seen), self.view)


def target_of(model: Model, name: str, parameters: Parameters) -> Target:
    """Raises StrataError for a layer or site that the model does not have."""
    units = model.card.units(name)
    if model.card.is_head(name):
        if parameters.site != "conv":
            raise StrataError(f"“{name}” is an output and has one site. Leave the site out.")
        return Target(model, name, "conv", units, view_of(model, name, parameters.size), rectified=False)
    layer = model.card.layer(name)
    if not layer.kind.endswith("2d"):
        raise StrataError(f"{name} is a {layer.kind}, which no picture can be made of. Choose a two-dimensional layer.")
    rectified = rectifies(layer) and parameters.site != "activation"
    return Target(model, name, parameters.site, units, view_of(model, name, parameters.size), rectified)


def shown(pictures: Tensor, view: View) -> Tensor:
    """Pictures with their periodic continuation, as the net sees them."""
    return functional.pad(pictures, (view.wrap,) * 4, mode="circular") if view.wrap else pictures


def counted(maps: Tensor, view: View) -> Tensor:
    """The part of a map that does not see beyond what is shown."""
    inner = view.inner
    return maps[:, :, inner:-inner, inner:-inner] if inner else maps
