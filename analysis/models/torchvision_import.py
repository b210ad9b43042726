"""Makes `import torchvision` work beside a CPU build of torch. Import this before torchvision, timm or onnx2torch.

Take torchvision itself from here, so that no sorting of imports can turn the order about; import timm and onnx2torch
inside of the function that uses them, which saves the seconds they cost as well.

PyPI carries torchvision for Linux only as a CUDA build. Beside a CPU build of torch its compiled operators do not
load, so nobody declares `torchvision::nms` and `import torchvision` itself dies while it describes that operator.
The Python code of torchvision is whole, so it is enough to declare the few operators that it mentions and to give
the two that detection models call (`nms`, `roi_align`) a kernel written in plain torch.

On a healthy install the first import succeeds and nothing else here runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "box_iou_rotated(Tensor boxes1, Tensor boxes2) -> Tensor",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width, "
    "int sampling_ratio, bool aligned) -> Tensor",
)
_declared: list[torch.library.Library] = []  # a Library that is collected takes its operators with it


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression.

    boxes [N, 4] as (x1, y1, x2, y2), scores [N] → indices kept, best first; of equal scores the first is kept.
    """
    order = torch.sort(scores, stable=True, descending=True).indices
    boxes = boxes[order]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    alive = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    kept = []
    for index in range(len(boxes)):
        if not alive[index]:
            continue
        kept.append(index)
        corner = torch.maximum(boxes[index, :2], boxes[:, :2])
        sides = (torch.minimum(boxes[index, 2:], boxes[:, 2:]) - corner).clamp(min=0)
        shared = sides[:, 0] * sides[:, 1]
        alive &= ~(shared / (area[index] + area - shared) > iou_threshold)
    return order[torch.tensor(kept, dtype=torch.long, device=boxes.device)]


def _weights(start: float, length: float, bins: int, samples: int, *, like: torch.Tensor, dim: int) -> torch.Tensor:
    """[bins, size]: how much each row of a map counts in each bin, bilinear samples averaged."""
    size = like.shape[dim]
    at = start + (torch.arange(bins * samples, dtype=torch.float64) + 0.5) * (length / (bins * samples))
    inside = (at >= -1) & (at <= size)
    at = at.clamp(0, size - 1)
    low = at.floor().long()
    high = (low + 1).clamp(max=size - 1)
    share = at - low
    matrix = torch.zeros(bins * samples, size, dtype=torch.float64)
    rows = torch.arange(bins * samples)
    matrix.index_put_((rows, low), 1 - share, accumulate=True)
    matrix.index_put_((rows, high), share, accumulate=True)
    return (matrix * inside[:, None]).view(bins, samples, size).mean(1).to(like)


def roi_align(
    input: torch.Tensor,
    rois: torch.Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> torch.Tensor:
    """RoIAlign (He et al. 2017, Mask R-CNN): bilinear interpolation is separable, so two small matrices a box do it.

    input [N, C, H, W], rois [K, 5] as (index in batch, x1, y1, x2, y2) → [K, C, pooled_height, pooled_width].
    """
    pooled = []
    for index, *corners in rois.detach().tolist():
        x1, y1, x2, y2 = (corner * spatial_scale - (0.5 if aligned else 0.0) for corner in corners)
        width, height = (x2 - x1, y2 - y1) if aligned else (max(x2 - x1, 1.0), max(y2 - y1, 1.0))
        vertical = sampling_ratio if sampling_ratio > 0 else max(-int(-height // pooled_height), 1)
        horizontal = sampling_ratio if sampling_ratio > 0 else max(-int(-width // pooled_width), 1)
        rows = _weights(y1, height, pooled_height, vertical, like=input, dim=2)
        columns = _weights(x1, width, pooled_width, horizontal, like=input, dim=3)
        pooled.append(torch.einsum("ph,chw,qw->cpq", rows, input[int(index)], columns))
    return torch.stack(pooled) if pooled else input.new_zeros((0, input.shape[1], pooled_height, pooled_width))


def _roi_align_of_boxes(
    input: torch.Tensor,
    boxes: torch.Tensor | Sequence[torch.Tensor],
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> torch.Tensor:
    """In place of torchvision.ops.roi_align, whose Python fallback needs a C++ compiler at run time."""
    if not isinstance(boxes, torch.Tensor):
        numbers = [torch.full_like(some[:, :1], index) for index, some in enumerate(boxes)]
        boxes = torch.cat([torch.cat(numbers), torch.cat(list(boxes))], dim=1)
    height, width = (output_size, output_size) if isinstance(output_size, int) else output_size
    return roi_align(input, boxes, spatial_scale, height, width, sampling_ratio, aligned)


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    library.impl("nms", nms, "CPU")
    library.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    _declared.append(library)


def import_torchvision() -> ModuleType:
    """torchvision, with the missing operators declared where its compiled ones do not load."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    package = importlib.import_module("torchvision")
    package.ops.boxes._assert_has_ops = lambda: None  # nms now has a kernel
    for module in (package.ops, package.ops.poolers, sys.modules["torchvision.ops.roi_align"]):
        vars(module)["roi_align"] = _roi_align_of_boxes
    return package


torchvision: Any = import_torchvision()
