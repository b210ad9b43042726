"""The part of a net up to one conv, or head, as a graph of its own: nothing is watched, nothing behind it runs, norms
are folded.

The tap (analysis/models/tap.py) reads any model; watching every operator costs a tenth of a step. Where a net can be
traced symbolically, its graph is cut behind the conv, batch normalisations are folded into the convs before them, and
ReLUs run in place. The cut is believed only after it has answered as the tap does.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from analysis.features.mean_map import averages, mean_map
from analysis.models.assemble import example_of
from analysis.models.capture import run_to
from analysis.models.heads import heads_of, run_head
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model

ALIKE = 1e-4
"""Greatest difference to what the tap reads, as a share of its deviation: folding changes the last digits."""


@dataclass(frozen=True)
class Cut:
    """A net cut at a conv, or whole for a head.

    before : prepared images → what the conv sees; what the net returns
    conv   : itself; what takes a head's logits from that
    spec   : what prepares images
    device : where all of it lies
    """

    before: fx.GraphModule
    conv: nn.Module
    spec: InputSpec
    device: torch.device

    def __call__(self, pictures: Tensor) -> Tensor:
        """[B, C, H, W] in [0, 1] → the conv's own output, as `run_to` gives it, or `run_head`, but faster."""
        maps: Tensor = self.conv(self._seen(pictures))
        return maps

    def means(self, pictures: Tensor, inner: int) -> Tensor | None:
        """[B, K, 1, 1] its means over space without its outermost `inner` rows and columns; None where only the map
        itself tells them."""
        if not averages(self.conv):
            return None
        assert isinstance(self.conv, nn.Conv2d)
        return mean_map(self._seen(pictures), self.conv, inner)

    def _seen(self, pictures: Tensor) -> Tensor:
        seen: Tensor = self.before(self.spec.prepare(pictures.to(self.device)))
        return seen


class _Head(nn.Module):
    """What a net returns → the logits of one of its heads, [B, K, 1, 1]."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, output: Any) -> Tensor:
        return heads_of(output)[self.name][..., None, None]


_last: WeakKeyDictionary[nn.Module, tuple[str, Cut | None]] = WeakKeyDictionary()
"""The cut that each open net was last read through: a layer's pictures are made one after the other."""


def cut_at(model: Model, layer: str) -> Cut | None:
    """At a conv layer or a head. None where a net can not be cut so: graphs that are not modules, control flow, convs
    called by function, a softmax or sigmoid at the very end."""
    known = _last.get(model.module)
    if known is None or known[0] != layer:
        known = layer, _verified(model, layer)
        _last[model.module] = known
    return known[1]


def _verified(model: Model, layer: str) -> Cut | None:
    if model.card.one_by_one:
        return None
    images = example_of(model.card.input, count=2).to(model.device)
    try:
        head = model.card.is_head(layer)
        end = _Head(layer) if head else model.module.get_submodule(layer)
        cut = Cut(_graph(model.module, None if head else layer), end, model.card.input, model.device)
        with torch.no_grad():
            found, wanted = cut(images), (run_head if head else run_to)(model, images, layer)
    except Exception:  # whatever tracing meets in a net's own code: the tap reads it
        return None
    if found.shape != wanted.shape or not bool((found - wanted).abs().max() <= ALIKE * wanted.std()):
        return None
    return cut


def _graph(module: nn.Module, layer: str | None) -> fx.GraphModule:
    """The net up to what the conv module of this name sees when it is first called; all of it for None. Raises where it
    is not called."""
    traced = fx.symbolic_trace(module)
    nodes = list(traced.graph.nodes)
    if layer is not None:
        (end,) = [node for node in nodes if node.op == "call_module" and node.target == layer][:1]
        with traced.graph.inserting_before(end):
            traced.graph.output(end.args[0])
        for node in reversed(nodes[nodes.index(end) :]):
            traced.graph.erase_node(node)
    traced.graph.eliminate_dead_code()
    parts = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        part = parts.get(node.target) if node.op == "call_module" else None
        if isinstance(part, nn.BatchNorm2d):
            _fold(traced, node, part, parts)
        elif isinstance(part, nn.ReLU) or (node.op == "call_function" and node.target is nn.functional.relu):
            _relu_in_place(traced, node)
    traced.graph.lint()
    traced.recompile()
    return traced


def _fold(traced: fx.GraphModule, norm: fx.Node, part: nn.BatchNorm2d, parts: dict[str, nn.Module]) -> None:
    """Put a norm into the conv before it, where nothing else reads that and it is called once."""
    before = norm.args[0]
    assert isinstance(before, fx.Node)
    conv = parts.get(str(before.target)) if before.op == "call_module" else None
    calls = [node for node in traced.graph.nodes if node.op == "call_module" and node.target == before.target]
    if type(conv) is not nn.Conv2d or len(before.users) > 1 or len(calls) > 1:
        return
    name = f"folded_{len(traced.graph.nodes)}_{before.name}"
    traced.add_submodule(name, fuse_conv_bn_eval(copy.deepcopy(conv), part))
    before.target = name
    norm.replace_all_uses_with(before)
    traced.graph.erase_node(norm)


def _relu_in_place(traced: fx.GraphModule, node: fx.Node) -> None:
    """A conv or a sum whose only reader is this may be overwritten: neither's derivative needs its output."""
    before = node.args[0]
    if not isinstance(before, fx.Node) or len(before.users) > 1 or before.op == "placeholder":
        return
    made = traced.get_submodule(str(before.target)) if before.op == "call_module" else None
    summed = before.op == "call_function" and getattr(before.target, "__name__", "") in ("add", "iadd")
    if not (type(made) is nn.Conv2d or summed):
        return
    with traced.graph.inserting_before(node):
        fresh = traced.graph.call_function(nn.functional.relu, (before,), {"inplace": True})
    node.replace_all_uses_with(fresh)
    traced.graph.erase_node(node)
