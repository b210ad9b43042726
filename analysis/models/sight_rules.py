"""How each operator of torch changes what a tensor sees (analysis/models/receptive.py).

An operator without a rule is taken number by number where its output has the shape of its operands, and as mixing
everything otherwise: never too small a receptive field for want of a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from analysis.models.receptive import Factor, Sight, merge

aten = torch.ops.aten
Rule = Callable[[Sight, Sequence[Any], Any], Sight | list[Sight]]
"""(what the first operand sees, the operator's arguments, its output) → what the output sees."""


def _argument(args: Sequence[Any], index: int, default: Any) -> Any:
    return args[index] if len(args) > index else default


def _each(value: Any, count: int) -> list[Any]:
    """A number or a list of one or `count` numbers → `count` numbers."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    return values * count if len(values) == 1 else values


def convolution(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    weight, stride, padding, dilation, transposed = args[1], *args[3:7]
    spatial = weight.dim() - 2
    sight = sight.collapse(1, out.shape[1])
    for axis in range(spatial):
        step, pad, gap = (_each(values, spatial)[axis] for values in (stride, padding, dilation))
        slide = sight.spread if transposed else sight.window
        sight = slide(2 + axis, weight.shape[2 + axis], step, pad, gap, out.shape[2 + axis])
    return sight


def _pool(sight: Sight, args: Sequence[Any], out: Any) -> Sight | list[Sight]:
    result = out[0] if isinstance(out, tuple | list) else out
    kernel = list(args[1])
    stride = list(_argument(args, 2, [])) or kernel
    padding = _argument(args, 3, 0)
    dilated = isinstance(_argument(args, 4, 1), list)  # max pooling has a dilation here, average pooling a flag
    dilation = args[4] if dilated else 1
    first = result.dim() - len(kernel)
    for axis, size in enumerate(kernel):
        step, pad, gap = (_each(values, len(kernel))[axis] for values in (stride, padding, dilation))
        sight = sight.window(first + axis, size, step, pad, gap, result.shape[first + axis])
    return [sight, sight] if isinstance(out, tuple | list) else sight


def _adaptive_pool(sight: Sight, args: Sequence[Any], out: Any) -> Sight | list[Sight]:
    result = out[0] if isinstance(out, tuple | list) else out
    sizes = args[1]
    for dim in range(result.dim() - len(sizes), result.dim()):
        before, after = sight.shape[dim], result.shape[dim]
        if after == 1:
            sight = sight.collapse(dim)
        elif before != after:
            sight = sight.window(dim, -(-before // after), before / after, 0, 1, after)
    return [sight, sight] if isinstance(out, tuple | list) else sight


def _resize(sight: Sight, args: Sequence[Any], out: torch.Tensor, reach: int) -> Sight:
    for dim in range(2, out.dim()):
        before, after = sight.shape[dim], out.shape[dim]
        if before != after:
            # pixel centres: output o lies at (o + ½)·before/after − ½ and takes `reach` neighbours each side
            scale = before / after
            sight = sight.flat(dim)
            rate = sight.dims[dim][0].rate
            middle = (scale - 1) / 2
            sight = sight.span(rate, middle - reach + 0.5, middle + reach - 0.5)
            sight = sight.with_dim(dim, Factor(after, (rate[0] * scale, rate[1] * scale)))
    return sight


def _reduce(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    rank = len(sight.dims)
    dims = _argument(args, 1, None)
    dims = range(rank) if dims in (None, []) else _each(dims, 1)
    for dim in (dim % rank for dim in dims):
        sight = sight.collapse(dim)
    return sight.view(out.shape) if isinstance(out, torch.Tensor) else sight


def _norm(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    return _reduce(sight, (args[0], *args[2:]), out)  # the order of the norm stands before the dimensions


def _pad(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    pads = args[1]
    for place in range(0, len(pads), 2):
        dim = len(sight.dims) - 1 - place // 2
        sight = sight.take(dim, -pads[place], 1, out.shape[dim])
    return sight


def _slice(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    dim = _argument(args, 1, 0) % len(sight.dims)
    size = sight.shape[dim]
    start = _argument(args, 2, None) or 0
    start = min(max(start + size if start < 0 else start, 0), size)
    if out.shape[dim] == size:
        return sight
    return sight.take(dim, start, _argument(args, 4, 1), out.shape[dim])


def _index_select(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    """Positions picked by number: an even stretch, widened by how far the picked ones lie from it."""
    dim, index = args[1] % len(sight.dims), args[2].detach().tolist()
    if len(index) < 2:
        return sight.take(dim, index[0] if index else 0, 1, len(index))
    step = (index[-1] - index[0]) / (len(index) - 1)
    errors = [at - step * place for place, at in enumerate(index)]
    sight = sight.flat(dim)
    rate = sight.dims[dim][0].rate
    sight = sight.span(rate, min(errors), max(errors))
    return sight.with_dim(dim, Factor(len(index), (rate[0] * step, rate[1] * step)))


def _select(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    dim = args[1] % len(sight.dims)
    return sight.select(dim, args[2] % sight.shape[dim])


def _split(sight: Sight, args: Sequence[Any], out: Sequence[torch.Tensor]) -> list[Sight]:
    dim = _argument(args, 2, 0) % len(sight.dims)
    parts, start = [], 0
    for part in out:
        parts.append(sight.take(dim, start, 1, part.shape[dim]))
        start += part.shape[dim]
    return parts


def _unbind(sight: Sight, args: Sequence[Any], out: Sequence[torch.Tensor]) -> list[Sight]:
    dim = _argument(args, 1, 0) % len(sight.dims)
    return [sight.select(dim, index) for index in range(len(out))]


def _view(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    return sight.view(out.shape)


def _permute(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    return sight.permute([dim % len(sight.dims) for dim in args[1]])


def _transpose(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    order = list(range(len(sight.dims)))
    first, second = (args[1], args[2]) if len(args) > 2 else (0, len(order) - 1)
    order[first], order[second] = order[second], order[first]
    return sight.permute(order)


def _expand(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    return merge([sight], out.shape)


def _matrix(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    """A product with weights: the last dimension is mixed, the others stay."""
    return sight.collapse(len(sight.dims) - 1, out.shape[-1])


def _same(sight: Sight, args: Sequence[Any], out: Any) -> Sight | list[Sight]:
    """Normalisation: what its statistics see is not counted, like a gate's."""
    return [sight, *(sight.blur(part.shape) for part in out[1:])] if isinstance(out, tuple | list) else sight


def _nearest(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    return _resize(sight, args, out, 1)


def _cubic(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    return _resize(sight, args, out, 2)


def _roll(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    for dim in _argument(args, 2, []) or range(len(sight.dims)):
        sight = sight.collapse(dim % len(sight.dims), out.shape[dim])
    return sight


def _to_depth(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    (batch, channels, height, width), by = sight.shape, args[1]
    parts = sight.view((batch, channels, height // by, by, width // by, by))
    return parts.permute((0, 1, 3, 5, 2, 4)).view(out.shape)


def _to_space(sight: Sight, args: Sequence[Any], out: torch.Tensor) -> Sight:
    (batch, channels, height, width), by = sight.shape, args[1]
    parts = sight.view((batch, channels // by**2, by, by, height, width))
    return parts.permute((0, 1, 4, 2, 5, 3)).view(out.shape)


_FAMILIES: tuple[tuple[Rule, str], ...] = (
    (convolution, "convolution _convolution"),
    (_pool, "max_pool1d max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d"),
    (_adaptive_pool, "_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d adaptive_max_pool2d"),
    (_nearest, "upsample_nearest2d upsample_bilinear2d _upsample_bilinear2d_aa _upsample_nearest_exact2d"),
    (_cubic, "upsample_bicubic2d _upsample_bicubic2d_aa"),
    (_reduce, "mean sum amax amin std var prod any all argmax argmin logsumexp"),
    (_norm, "norm linalg_vector_norm"),
    (_pad, "constant_pad_nd reflection_pad1d reflection_pad2d replication_pad2d pad"),
    (_slice, "slice"),
    (_select, "select"),
    (_index_select, "index_select"),
    (_split, "split split_with_sizes"),
    (_unbind, "unbind"),
    (_view, "view _unsafe_view reshape _reshape_alias squeeze unsqueeze flatten"),
    (_permute, "permute"),
    (_transpose, "transpose t"),
    (_expand, "expand"),
    (_matrix, "mm"),
    (_roll, "roll"),
    (_to_depth, "pixel_unshuffle"),
    (_to_space, "pixel_shuffle"),
    (
        _same,
        "native_batch_norm _native_batch_norm_legit_no_training cudnn_batch_norm native_group_norm channel_shuffle",
    ),
    (_same, "native_layer_norm _softmax _native_batch_norm_legit batch_norm _batch_norm_no_update"),
)
RULES: dict[str, Rule] = {name: rule for rule, names in _FAMILIES for name in names.split()}


def concatenate(sights: Sequence[Sight | None], tensors: Sequence[torch.Tensor], dim: int, out: torch.Tensor) -> Sight:
    """Several tensors end to end. Along a dimension of places this is not followed: it sees all of them there."""
    known = [sight for sight in sights if sight is not None]
    dim %= out.dim()
    placed = any(factor.rate != (0.0, 0.0) for sight in known for factor in sight.dims[dim])
    aligned = [sight.collapse(dim) if placed else sight.with_dim(dim, Factor(1)) for sight in known]
    shape = [1 if index == dim else size for index, size in enumerate(out.shape)]
    return merge(aligned, shape).with_dim(dim, Factor(out.shape[dim]))
