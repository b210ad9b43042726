"""Operators that move numbers about."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from analysis.models.onnx_ops.node import Node, Operator, Unsupported, ints, of_size


def _reshape(node: Node, x: torch.Tensor, shape: torch.Tensor | None = None) -> torch.Tensor:
    wanted = ints(shape if shape is not None else node.get("shape")) or []
    if not node.get("allowzero"):
        wanted = [x.shape[index] if size == 0 else size for index, size in enumerate(wanted)]
    return x.reshape(wanted)


def _flatten(node: Node, x: torch.Tensor) -> torch.Tensor:
    axis = node.get("axis", 1)
    axis += x.dim() if axis < 0 else 0
    rows = 1
    for size in x.shape[:axis]:
        rows *= size
    return x.reshape(rows, -1)


def _squeeze(node: Node, x: torch.Tensor, axes: torch.Tensor | None = None) -> torch.Tensor:
    dims = ints(axes) if axes is not None else node.get("axes")
    return x.squeeze() if dims is None else x.squeeze(tuple(dims))


def _unsqueeze(node: Node, x: torch.Tensor, axes: torch.Tensor | None = None) -> torch.Tensor:
    dims = (ints(axes) if axes is not None else node.get("axes")) or []
    for dim in sorted(dim % (x.dim() + len(dims)) for dim in dims):
        x = x.unsqueeze(dim)
    return x


def _transpose(node: Node, x: torch.Tensor) -> torch.Tensor:
    return x.permute(node.get("perm") or list(range(x.dim()))[::-1])


def _concat(node: Node, *inputs: torch.Tensor) -> torch.Tensor:
    return torch.cat(inputs, node.get("axis", 1))


def _split(node: Node, x: torch.Tensor, sizes: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
    axis = node.get("axis", 0)
    parts = ints(sizes) if sizes is not None else node.get("split")
    if parts is None:
        count = node.get("num_outputs", node.outputs)
        each = -(-x.shape[axis] // count)
        parts = [min(each, x.shape[axis] - each * index) for index in range(count)]
    return x.split(parts, axis)


def _slice(node: Node, x: torch.Tensor, *inputs: torch.Tensor | None) -> torch.Tensor:
    given = [ints(value) for value in inputs] or [node.get("starts"), node.get("ends"), node.get("axes")]
    starts, ends, axes, steps = [*given, None, None][:4]
    if starts is None or ends is None:
        raise Unsupported("A Slice of the graph has no bounds. Export the model again.")
    for start, end, axis, step in zip(
        starts, ends, axes or range(len(starts)), steps or [1] * len(starts), strict=True
    ):
        index = range(x.shape[axis])[start:end:step]
        if step > 0:
            x = x[(slice(None),) * (axis % x.dim()) + (slice(index.start, index.stop, step),)]
        else:
            x = x.index_select(axis, torch.tensor(index, dtype=torch.long))
    return x


def _gather(node: Node, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    axis = node.get("axis", 0) % x.dim()
    index = torch.where(index < 0, index + x.shape[axis], index).long()
    if index.dim() == 0:
        return x.select(axis, int(index))
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    return x.index_select(axis, index.flatten()).reshape(shape)


def _gather_elements(node: Node, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    axis = node.get("axis", 0)
    return x.gather(axis, torch.where(index < 0, index + x.shape[axis], index).long())


def _gather_nd(node: Node, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    if node.get("batch_dims"):
        raise Unsupported("GatherND with batch_dims is not computed here. Export the model with opset 17.")
    return x[tuple(index.long().unbind(-1))]


def _scatter_nd(node: Node, x: torch.Tensor, index: torch.Tensor, updates: torch.Tensor) -> torch.Tensor:
    if node.get("reduction", "none") not in {"none", "add"}:
        raise Unsupported("ScatterND with a reduction is not computed here. Export the model with opset 17.")
    adds = node.get("reduction") == "add"
    return x.index_put(tuple(index.long().unbind(-1)), updates, accumulate=adds)


def _scatter_elements(node: Node, x: torch.Tensor, index: torch.Tensor, updates: torch.Tensor) -> torch.Tensor:
    axis = node.get("axis", 0)
    index = torch.where(index < 0, index + x.shape[axis], index).long()
    if node.get("reduction", "none") == "add":
        return x.scatter_add(axis, index, updates)
    return x.scatter(axis, index, updates)


def _expand(node: Node, x: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    return x.expand(of_size(list(torch.broadcast_shapes(x.shape, ints(shape) or []))))


def _tile(node: Node, x: torch.Tensor, repeats: torch.Tensor) -> torch.Tensor:
    times = ints(repeats) or []
    of_size([size * time for size, time in zip(x.shape, times, strict=True)])
    return x.repeat(times)


def _shape(node: Node, x: torch.Tensor) -> torch.Tensor:
    return torch.tensor(list(x.shape)[node.get("start", 0) : node.get("end")], dtype=torch.int64)


def _constant_of_shape(node: Node, shape: torch.Tensor) -> torch.Tensor:
    value = node.get("value")
    value = torch.zeros(1) if value is None else value
    return value.flatten()[0].repeat(of_size(ints(shape) or [])) if shape.numel() else value.flatten()[0]


def _range(node: Node, start: torch.Tensor, limit: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    first, last, by = start.item(), limit.item(), step.item()
    of_size([max(int((last - first) / by), 0)])
    return torch.arange(first, last, by, dtype=start.dtype)


def _pad(
    node: Node,
    x: torch.Tensor,
    pads: torch.Tensor | None = None,
    value: torch.Tensor | None = None,
    axes: torch.Tensor | None = None,
) -> torch.Tensor:
    amounts = (ints(pads) if pads is not None else node.get("pads", node.get("paddings"))) or []
    dims = [dim % x.dim() for dim in (ints(axes) or range(x.dim()))]
    before = dict(zip(dims, amounts[: len(dims)], strict=True))
    after = dict(zip(dims, amounts[len(dims) :], strict=True))
    flat = [amount for dim in reversed(range(x.dim())) for amount in (before.get(dim, 0), after.get(dim, 0))]
    of_size([size + sum(flat[2 * (x.dim() - 1 - dim) :][:2]) for dim, size in enumerate(x.shape)])
    mode = {"edge": "replicate", "wrap": "circular"}.get(node.get("mode", "constant"), node.get("mode", "constant"))
    if mode == "constant":
        fill = node.get("value", 0.0) if value is None else value.item()
        return F.pad(x, flat, value=fill)
    if any(flat[2 * (x.dim() - 2) :]):
        raise Unsupported(f"Padding of batch or channels by “{mode}” is not computed here. Export it with opset 17.")
    return F.pad(x, flat[: 2 * (x.dim() - 2)], mode=mode)


def _crop(node: Node, x: torch.Tensor) -> torch.Tensor:
    left, top, right, bottom = node.get("border")
    height, width = node.get("scale") or (x.shape[2] - top - bottom, x.shape[3] - left - right)
    return x[:, :, top : top + height, left : left + width]


def _depth_to_space(node: Node, x: torch.Tensor) -> torch.Tensor:
    batch, channels, height, width = x.shape
    by = node.get("blocksize")
    outside = channels // by**2
    if node.get("mode", "DCR") == "CRD":
        parts = x.reshape(batch, outside, by, by, height, width).permute(0, 1, 4, 2, 5, 3)
    else:
        parts = x.reshape(batch, by, by, outside, height, width).permute(0, 3, 4, 1, 5, 2)
    return parts.reshape(batch, outside, height * by, width * by)


def _space_to_depth(node: Node, x: torch.Tensor) -> torch.Tensor:
    batch, channels, height, width = x.shape
    by = node.get("blocksize")
    parts = x.reshape(batch, channels, height // by, by, width // by, by).permute(0, 3, 5, 1, 2, 4)
    return parts.reshape(batch, channels * by**2, height // by, width // by)


def _trilu(node: Node, x: torch.Tensor, diagonal: torch.Tensor | None = None) -> torch.Tensor:
    offset = 0 if diagonal is None else int(diagonal)
    return torch.triu(x, offset) if node.get("upper", 1) else torch.tril(x, offset)


def _top_k(node: Node, x: torch.Tensor, count: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    number = node.get("k") if count is None else int(count)
    found = torch.topk(x, number, node.get("axis", -1), bool(node.get("largest", 1)), bool(node.get("sorted", 1)))
    return found.values, found.indices


def _cumsum(node: Node, x: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    dim = int(axis)
    x = x.flip(dim) if node.get("reverse") else x
    total = x.cumsum(dim)
    total = total - x if node.get("exclusive") else total
    return total.flip(dim) if node.get("reverse") else total


SHAPES: dict[str, Operator] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "ScatterND": _scatter_nd,
    "ScatterElements": _scatter_elements,
    "Expand": _expand,
    "Tile": _tile,
    "Shape": _shape,
    "Size": lambda node, x: torch.tensor(x.numel()),
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Pad": _pad,
    "Crop": _crop,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "Trilu": _trilu,
    "TopK": _top_k,
    "CumSum": _cumsum,
    "Constant": lambda node: torch.as_tensor(next(iter(node.attributes.values()))),
    "NonZero": lambda node, x: x.nonzero().t(),
}
