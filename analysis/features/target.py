"""What pictures are made of: the units of a conv layer at one of its sites, or the classes of a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features.cut import Cut, cut_at
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
    rectified : 1 or −1 where a map is pooled above or, for negative pictures, below zero; 0 where it is pooled as it is
                (analysis/features/pooling.py)
    """

    model: Model
    name: str
    site: Site
    units: int
    view: View
    rectified: float

    @property
    def stem(self) -> bool:
        """Whether it is a conv that sees the input itself."""
        return bool(self.rectified)

    def read(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] in [0, 1] as the net sees them → [N, units, h, w], differentiable."""
        cut = self._cut()
        if cut:
            return cut(pictures)
        if self.model.card.is_head(self.name):
            return run_head(self.model, pictures, self.name)
        return run_to_site(self.model, pictures, self.name, self.site)

    def means(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] as `shown` → [N, units, 1, 1], differentiable: the means of what `counted` leaves of a map."""
        cut = self._cut()
        means = cut.means(pictures, self.view.inner) if cut else None
        return counted(self.read(pictures), self.view).mean((2, 3), keepdim=True) if means is None else means

    def _cut(self) -> Cut | None:
        return cut_at(self.model, self.name) if self.site == "conv" else None

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
        return Target(model, name, "conv", units, view_of(model, name, parameters.size), rectified=0.0)
    layer = model.card.layer(name)
    if not layer.kind.endswith("2d"):
        raise StrataError(f"{name} is a {layer.kind}, which no picture can be made of. Choose a two-dimensional layer.")
    rectified = parameters.sign if rectifies(layer) and parameters.site != "activation" else 0.0
    return Target(model, name, parameters.site, units, view_of(model, name, parameters.size), rectified)


def shown(pictures: Tensor, view: View) -> Tensor:
    """Pictures with their periodic continuation, as the net sees them."""
    return functional.pad(pictures, (view.wrap,) * 4, mode="circular") if view.wrap else pictures


def counted(maps: Tensor, view: View) -> Tensor:
    """The part of a map that does not see beyond what is shown."""
    if not view.inner:
        return maps
    part: Tensor = _Inner.apply(maps, view.inner)
    return part


class _Inner(Function):
    """A map without its outermost rows and columns; its derivative keeps the map's memory format, autograd's does not,
    and convolutions would have to bring it back."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, inner: int) -> Tensor:
        ctx.whole, ctx.inner = torch.empty_like(maps, device="meta"), inner
        return maps[:, :, inner:-inner, inner:-inner]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,), inner = gradients, ctx.inner
        whole = torch.zeros_like(ctx.whole, device=gradient.device)
        whole[:, :, inner:-inner, inner:-inner] = gradient
        return whole, None
