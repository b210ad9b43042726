"""Read an ONNX file and say what it is: its input, its convolutions and their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, inliner, shape_inference
from onnx.external_data_helper import uses_external_data

from analysis.models.errors import ModelError, OnlyWeights
from analysis.models.onnx_fold import weight_sources

CONVOLUTIONS = frozenset({"Conv", "ConvTranspose", "QLinearConv", "ConvInteger"})


@dataclass(frozen=True)
class GraphInput:
    """The image input of a graph. channels_last: the graph takes [B, H, W, C]; None where a size is free."""

    name: str
    batch: int | None
    channels: int | None
    height: int | None
    width: int | None
    channels_last: bool


def load_onnx(path: Path) -> ModelProto:
    """The graph without functions, with external data from beside the file and nowhere else. Raises ModelError."""
    try:
        model = onnx.load(path)
    except DecodeError as error:
        raise ModelError(f"{path.name} is cut short or damaged, or no ONNX file. Copy or download it again.") from error
    except (onnx.checker.ValidationError, FileNotFoundError, OSError, ValueError) as error:
        raise ModelError(f"{path.name} keeps weights in another file: {error}. Put that file beside it.") from error
    if not model.graph.node:
        raise ModelError(f"{path.name} is an ONNX file without any node in it. Export the model again.")
    return inliner.inline_local_functions(model) if model.functions else model


def side_files(path: Path) -> tuple[str, ...]:
    """The files that a graph keeps weights in, as paths from its folder."""
    graph = onnx.load(path, load_external_data=False).graph
    tensors = [*graph.initializer, *(a.t for node in graph.node for a in node.attribute if a.HasField("t"))]
    entries = [entry for tensor in tensors if uses_external_data(tensor) for entry in tensor.external_data]
    return tuple(sorted({entry.value for entry in entries if entry.key == "location"}))


def graph_input(model: ModelProto, name: str) -> GraphInput:
    """The one input that takes images.

    Raises ModelError, naming what there is, where there is none; OnlyWeights where its convolutions can be listed.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    dims = [dim.dim_value or None for dim in inputs[0].type.tensor_type.shape.dim] if inputs else []
    if len(inputs) != 1 or len(dims) != 4:
        found = ", ".join(value.name for value in inputs) or "none"
        what = f"{len(inputs)} inputs ({found})" if len(inputs) != 1 else f"an input of {len(dims)} dimensions"
        sentence = f"{name} takes {what}, no image. Strata opens nets that take one [batch, channels, height, width]."
        state = conv_weights(model)
        raise (
            OnlyWeights(f"{sentence} Its layers and weights are listed all the same.", state, "onnx")
            if state
            else (ModelError(sentence))
        )
    last = dims[3] in {1, 3, 4} and dims[1] not in {1, 3, 4}
    batch, channels, height, width = (dims[0], dims[3], dims[1], dims[2]) if last else dims
    return GraphInput(inputs[0].name, batch, channels, height, width, last)


def weight_of(node: NodeProto) -> int:
    """Which input of a convolution is its weight."""
    return 3 if node.op_type == "QLinearConv" else 1


def check_operators(model: ModelProto, name: str) -> None:
    """Raises ModelError, naming them, where a graph calls operators that nobody but their maker knows."""
    strange = {
        f"{node.domain}::{node.op_type}"
        for node in model.graph.node
        if node.domain not in {"", "ai.onnx", "com.microsoft", "ai.onnx.ml"}
    }
    if strange:
        raise ModelError(
            f"{name} calls operators of its own ({', '.join(sorted(strange)[:5])}), which only their maker's library "
            "computes. Export the net without its pre- and postprocessing."
        )


def conv_weights(model: ModelProto) -> dict[str, torch.Tensor]:
    """The weights of every convolution as a state dict would have them, by the name of its layer."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    names, sources = layer_names(model), weight_sources(model)
    state = {}
    for node in model.graph.node:
        weight = tensors.get(sources.get(node.input[weight_of(node)], "")) if node.output[0] in names else None
        if weight is not None:
            state[f"{names[node.output[0]]}.weight"] = torch.from_numpy(
                onnx.numpy_helper.to_array(weight).astype(np.float32)
            )
    return state


def free_batch(model: ModelProto, batch: int) -> ModelProto:
    """The same graph for any batch, of one that was exported with a batch of this size: Reshape to [1, …] keeps it.

    Where the exporter specialised further this gives wrong numbers for batches, which the test at opening finds.
    """
    freed = ModelProto()
    freed.CopyFrom(model)
    constants = {tensor.name: tensor for tensor in freed.graph.initializer}
    known = _shapes(model)
    for number, node in enumerate(freed.graph.node):
        shape = constants.get(node.input[1]) if node.op_type == "Reshape" and len(node.input) > 1 else None
        if shape is None:
            continue
        wanted = _for_any_batch(onnx.numpy_helper.to_array(shape).tolist(), batch, known.get(node.output[0]))
        if wanted is not None:
            node.input[1] = f"strata_shape_{number}"
            freed.graph.initializer.append(onnx.numpy_helper.from_array(np.array(wanted, np.int64), node.input[1]))
    for value in (*freed.graph.input, *freed.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims:
            dims[0].dim_param = "batch"
    return freed


def _for_any_batch(wanted: list[int], batch: int, known: list[int] | None) -> list[int] | None:
    """What a Reshape to [batch, …] asks for where the batch may be any; None where it can be left, or not be told."""
    if len(wanted) < 2 or wanted[0] != batch:
        return None
    if -1 in wanted and known is None:
        return None
    return [-1, *(wanted if known is None else known)[1:]]


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    """Every tensor of a graph whose shape follows from the graph alone."""
    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # onnx's checks refuse some graphs that run
        return {}
    found = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*inferred.graph.value_info, *inferred.graph.output)
    }
    return {name: dims for name, dims in found.items() if dims and all(dims)}


def layer_names(model: ModelProto) -> dict[str, str]:
    """What each convolution of the graph gives → a readable, stable name for its layer; in the order of the graph.

    The weight's own name where the exporter kept it (`features.0.weight`), else the node's, else what is left of the
    weight's, else its number. Nodes that share a weight share the name: they are one layer.
    """
    sources = weight_sources(model)
    names: dict[str, str] = {}
    by_weight: dict[str, str] = {}
    for number, node in enumerate((node for node in model.graph.node if node.op_type in CONVOLUTIONS), 1):
        weight = node.input[weight_of(node)]
        weight = sources.get(weight, weight)
        if weight not in by_weight:
            name = _name(node, weight) or f"conv_{number}"
            taken = set(by_weight.values())
            copies = (f"{name}_{copy}" for copy in range(2, len(taken) + 3))
            by_weight[weight] = name if name not in taken else next(copy for copy in copies if copy not in taken)
        names[node.output[0]] = by_weight[weight]
    return names


def _name(node: NodeProto, weight: str) -> str:
    weight = re.sub(r"[._](quantized|dequantized|scaled|folded)$", "", weight)
    if weight.endswith(".weight"):
        return weight.removesuffix(".weight")
    path = node.name.strip("/").removesuffix("/Conv")
    if re.search("[A-Za-z]", path):
        return path
    short = re.sub(r"_[wW](_\d+)?$", "", weight)
    return short if re.search("[A-Za-z]", short) and "::" not in short else ""
