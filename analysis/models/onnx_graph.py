"""Read an ONNX file and say what it is: its input, its convolutions and their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto

from analysis.models.errors import ModelError
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
    """The graph, with external data from beside the file and nowhere else. Raises ModelError."""
    try:
        model = onnx.load(path)
    except DecodeError as error:
        raise ModelError(f"{path.name} is cut short or damaged, or no ONNX file. Copy or download it again.") from error
    except (onnx.checker.ValidationError, FileNotFoundError, OSError, ValueError) as error:
        raise ModelError(f"{path.name} keeps weights in another file: {error}. Put that file beside it.") from error
    if not model.graph.node:
        raise ModelError(f"{path.name} is an ONNX file without any node in it. Export the model again.")
    return model


def graph_input(model: ModelProto, name: str) -> GraphInput:
    """The one input that takes images. Raises ModelError, naming what there is, where there is none."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        found = ", ".join(value.name for value in inputs) or "none"
        raise ModelError(f"{name} takes {len(inputs)} inputs ({found}). Strata opens nets that take one image.")
    dims = [dim.dim_value or None for dim in inputs[0].type.tensor_type.shape.dim]
    if len(dims) != 4:
        raise ModelError(
            f"{name} takes an input of {len(dims)} dimensions, no image. Strata opens nets that take [batch, channels, "
            "height, width]."
        )
    last = dims[3] in {1, 3, 4} and dims[1] not in {1, 3, 4}
    batch, channels, height, width = (dims[0], dims[3], dims[1], dims[2]) if last else dims
    return GraphInput(inputs[0].name, batch, channels, height, width, last)


def weight_of(node: NodeProto) -> int:
    """Which input of a convolution is its weight."""
    return 3 if node.op_type == "QLinearConv" else 1


def check_operators(model: ModelProto, name: str) -> None:
    """Raises ModelError, naming them, where a graph calls operators that nobody but their maker knows."""
    local = {(function.domain, function.name) for function in model.functions}
    strange = {
        f"{node.domain}::{node.op_type}"
        for node in model.graph.node
        if node.domain not in {"", "ai.onnx", "com.microsoft", "ai.onnx.ml"}
        and (node.domain, node.op_type) not in local
    }
    if strange:
        raise ModelError(
            f"{name} calls operators of its own ({', '.join(sorted(strange)[:5])}), which only their maker's library "
            "computes. Export the net without its pre- and postprocessing."
        )


def free_batch(model: ModelProto) -> None:
    """Let a graph that was exported with a batch of one take any, in place: Reshape to [1, …] keeps the batch instead.

    Where the exporter specialised further this gives wrong numbers for batches, which the test at opening finds.
    """
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for number, node in enumerate(model.graph.node):
        shape = constants.get(node.input[1]) if node.op_type == "Reshape" and len(node.input) > 1 else None
        if shape is None:
            continue
        wanted = onnx.numpy_helper.to_array(shape).copy()
        if wanted.size > 1 and wanted[0] == 1:
            wanted[0] = 0 if -1 in wanted else -1
            node.input[1] = f"strata_shape_{number}"
            model.graph.initializer.append(onnx.numpy_helper.from_array(wanted, node.input[1]))
    for value in (*model.graph.input, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims:
            dims[0].dim_param = "batch"


def layer_names(model: ModelProto) -> list[str]:
    """A readable, stable name for every convolution of the graph, in order.

    The weight's own name where the exporter kept it (`features.0.weight`), else the node's, else what is left of the
    weight's, else its number. Nodes that share a weight share the name: they are one layer.
    """
    sources = weight_sources(model)
    names: list[str] = []
    by_weight: dict[str, str] = {}
    for number, node in enumerate((node for node in model.graph.node if node.op_type in CONVOLUTIONS), 1):
        weight = node.input[weight_of(node)]
        weight = sources.get(weight, weight)
        if weight not in by_weight:
            name = _name(node, weight) or f"conv_{number}"
            taken = set(by_weight.values())
            copies = (f"{name}_{copy}" for copy in range(2, len(taken) + 3))
            by_weight[weight] = name if name not in taken else next(copy for copy in copies if copy not in taken)
        names.append(by_weight[weight])
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
