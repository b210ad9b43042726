"""Resize and Upsample, one axis after the other: where each output lies in the input, and which neighbours it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from analysis.models.onnx_ops.node import Node, Operator, Unsupported, ints, of_size


def _positions(mode: str, before: int, after: int, scale: float) -> torch.Tensor:
    """[after]: the place of every output in the input, in px (ONNX, operator Resize)."""
    at = torch.arange(after, dtype=torch.float64)
    if mode == "align_corners":
        return at * ((before - 1) / (after - 1) if after > 1 else 0.0)
    if mode == "asymmetric":
        return at / scale
    if mode == "pytorch_half_pixel" and after == 1:
        return torch.zeros(1, dtype=torch.float64)
    if mode == "half_pixel_symmetric":
        centre, shrink = before / 2, after / (scale * before)
        return centre * (1 - shrink) + (at + 0.5) / scale - 0.5
    if mode in {"half_pixel", "pytorch_half_pixel"}:
        return (at + 0.5) / scale - 0.5
    if mode == "tf_half_pixel_for_nn":
        return (at + 0.5) / scale
    raise Unsupported(f"Resize with coordinates “{mode}” is not computed here. Export it with another interpolation.")


def _nearest(at: torch.Tensor, rounding: str) -> torch.Tensor:
    rounded = {
        "round_prefer_floor": (at - 0.5).ceil(),
        "round_prefer_ceil": (at + 0.5).floor(),
        "floor": at.floor(),
        "ceil": at.ceil(),
    }
    return rounded[rounding].long()


def _taps(node: Node, at: torch.Tensor) -> Sequence[tuple[torch.Tensor, torch.Tensor | None]]:
    """(which input, its weight) of every neighbour that the outputs take."""
    kind = node.get("mode", "nearest")
    if kind == "nearest":
        return [(_nearest(at, node.get("nearest_mode", "round_prefer_floor")), None)]
    low = at.floor()
    share = at - low
    if kind in {"linear", "bilinear"}:
        return [(low.long(), 1 - share), (low.long() + 1, share)]
    a = node.get("cubic_coeff_a", -0.75)
    weights = []
    for step in (-1, 0, 1, 2):
        d = (share - step).abs()
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        weights.append((low.long() + step, torch.where(d <= 1, near, far)))
    return weights


def _along(node: Node, x: torch.Tensor, dim: int, after: int, scale: float) -> torch.Tensor:
    before = x.shape[dim]
    mode = node.get("coordinate_transformation_mode", "half_pixel" if node.version > 10 else "asymmetric")
    if node.kind == "Upsample" or node.version == 10:
        mode = "asymmetric"
    result: Any = 0
    for index, weight in _taps(node, _positions(mode, before, after, scale)):
        part = x.index_select(dim, index.clamp(0, before - 1))
        if weight is not None:
            shape = [1] * x.dim()
            shape[dim] = after
            part = part * weight.to(x.dtype).view(shape)
        result = result + part if isinstance(result, torch.Tensor) else part
    return result


def _resize(node: Node, x: torch.Tensor, *inputs: torch.Tensor | None) -> torch.Tensor:
    if node.get("antialias") or node.get("exclude_outside"):
        raise Unsupported("Resize with antialias is not computed here. Export the model without antialiasing.")
    first = inputs[0] if inputs and (node.version == 10 or node.kind == "Upsample") else None
    scales = first if first is not None else (inputs[1] if len(inputs) > 1 else None)
    sizes = ints(inputs[2]) if len(inputs) > 2 and inputs[2] is not None else None
    dims = node.get("axes") or list(range(x.dim()))
    factors = (
        [float(value) for value in scales.tolist()] if scales is not None and scales.numel() else node.get("scales")
    )
    if sizes is not None:
        policy = node.get("keep_aspect_ratio_policy", "stretch")
        factors = [size / x.shape[dim] for size, dim in zip(sizes, dims, strict=True)]
        if policy != "stretch":
            factors = [(min if policy == "not_larger" else max)(factors)] * len(dims)
            sizes = None
    if factors is None:
        raise Unsupported("A Resize of the graph has no size. Export the model again.")
    half = 0.5 if sizes is None and node.get("keep_aspect_ratio_policy", "stretch") != "stretch" else 0.0
    targets = sizes or [int(x.shape[dim] * factor + half + 1e-9) for dim, factor in zip(dims, factors, strict=True)]
    of_size(list(targets))
    if node.version <= 10 or node.kind == "Upsample":
        node = Node(node.kind, {**node.attributes, "nearest_mode": "floor"}, node.version, node.outputs)
    for dim, target, factor in zip(dims, targets, factors, strict=True):
        if target != x.shape[dim]:
            x = _along(node, x, dim, target, factor)
    return x


RESIZE: dict[str, Operator] = {"Resize": _resize, "Upsample": _resize}
