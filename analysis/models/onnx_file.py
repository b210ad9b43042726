"""ONNX: folded, through onnx2torch to a torch module, compared with onnxruntime."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto
from torch import nn

from analysis.models import torchvision_import  # noqa: F401  (before onnx2torch)
from analysis.models.blank import blank_weights
from analysis.models.broken import is_broken, mended
from analysis.models.errors import ModelError
from analysis.models.onnx_compare import TOLERANCE, compare_with_onnxruntime
from analysis.models.onnx_fold import fold
from analysis.models.onnx_graph import (
    CONVOLUTIONS,
    check_operators,
    free_batch,
    graph_input,
    layer_names,
    load_onnx,
    side_files,
    weight_of,
)
from analysis.models.onnx_input import graph_spec
from analysis.models.onnx_ops.node import Unsupported
from analysis.models.onnx_ops.registry import OPERATORS, register
from analysis.models.opened import Opened


class ChannelsFirst(nn.Module):
    """A graph that takes [B, H, W, C], given [B, C, H, W]."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, images: object) -> object:
        return self.graph(images.permute(0, 2, 3, 1))  # type: ignore[attr-defined]


def open_onnx(path: Path) -> Opened:
    """An ONNX file → a torch module whose outputs are those of onnxruntime. Raises ModelError."""
    model = load_onnx(path)
    check_operators(model, path.name)
    source = graph_input(model, path.name)
    folded = fold(model)
    whole = _mended(folded)
    spec = graph_spec(folded, source)

    def converted(graph: ModelProto) -> tuple[nn.Module, dict[int, str], dict[str, Any]]:
        module, names = convert(graph, layer_names(model), path.name)
        module = ChannelsFirst(module) if source.channels_last else module
        with mended(module):
            compared = compare_with_onnxruntime(module, whole or model, whole or folded, source, spec, path.name)
        return module, names, compared

    try:
        module, names, verification = converted(free_batch(folded, source.batch) if source.batch else folded)
    except ModelError:
        if not source.batch:
            raise
        module, names, verification = converted(folded)  # its images are then run one by one
    return Opened(
        module=module,
        spec=spec,
        format="onnx",
        evidence=f"An ONNX graph of operator set {max(opset.version for opset in model.opset_import)}.",
        warnings=(*_doubts(folded), *_uncompared(verification)),
        verification=verification,
        names=names,
        side_files=side_files(path),
    )


def convert(model: ModelProto, layers: Mapping[str, str], name: str) -> tuple[nn.Module, dict[int, str]]:
    """A folded graph → its torch module in eval mode, and where each layer's weight lies → the layer's name.

    layers : what each convolution gives → its layer's name
    """
    import onnx2torch  # (imports torchvision)

    register()
    model = copy.deepcopy(model)
    for value in model.graph.output:  # onnx2torch returns all outputs of a node for any one of them
        model.graph.node.append(onnx.helper.make_node("Identity", [value.name], [f"{value.name}_strata"]))
        value.name = f"{value.name}_strata"
    convolutions = []
    for number, node in enumerate(model.graph.node):
        node.name = f"node_{number}"
        if node.op_type in OPERATORS:  # of whatever domain: com.microsoft has quantised ones that ONNX lacks
            node.domain = ""
        if node.op_type in CONVOLUTIONS:
            convolutions.append(node)
    try:
        with blank_weights():
            module: nn.Module = onnx2torch.convert(model)
    except Unsupported:
        raise
    except (NotImplementedError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise ModelError(
            f"{name} uses something that can not be converted ({error}). Export the model with opset 17."
        ) from error
    weights: dict[int, str] = {}
    for node in convolutions:
        buffer = dict(module.get_submodule(node.name).named_buffers()).get(f"input_{weight_of(node)}")
        if buffer is not None:
            weights[buffer.data_ptr()] = layers[node.output[0]]
    return module.eval(), weights


def _mended(folded: ModelProto) -> ModelProto | None:
    """The graph with 0 for the numbers of broken weights (analysis/models/broken.py); None where it has none."""
    whole = ModelProto()
    whole.CopyFrom(folded)
    found = None
    for tensor in whole.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            weights = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
            if is_broken(weights):
                tensor.CopyFrom(onnx.numpy_helper.from_array(weights.nan_to_num(0, 0, 0).numpy(), tensor.name))
                found = whole
    return found


def _uncompared(verification: Mapping[str, Any]) -> list[str]:
    reason = verification.get("onnxruntime refuses")
    if verification.get("rounding difference", 0.0) > TOLERANCE:
        return [
            "This net enlarges rounding: float32 and float64 differ by "
            f"{verification['rounding difference']:.2g} standard "
            "deviations of its output, so that it could not be told whether it computes here what it should."
        ]
    return (
        [f"onnxruntime can not run this file ({reason}), so its numbers here were compared with nothing."]
        if reason
        else []
    )


def _doubts(model: ModelProto) -> list[str]:
    """What a person should know of the weights before reading anything into them."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    kernels = [
        tensors[node.input[1]] for node in model.graph.node if node.op_type == "Conv" and node.input[1] in tensors
    ]
    flat = sum(np.ptp(onnx.numpy_helper.to_array(kernel)) == 0 for kernel in kernels)
    if kernels and flat > len(kernels) / 2:
        return [f"{flat} of {len(kernels)} convolutions hold one number in all their weights: the net is not trained."]
    return []
