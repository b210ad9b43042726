"""What an ONNX graph says of its input: size and channels outright, the range of its numbers by what it does first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
from onnx import ModelProto, NodeProto

from analysis.models.input_spec import IMAGENET_MEAN, IMAGENET_STD, InputSpec
from analysis.models.onnx_graph import GraphInput


def graph_spec(model: ModelProto, source: GraphInput) -> InputSpec:
    """The input of a folded graph. What it does not say is assumed, and said to be."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    first = next((node for node in model.graph.node if node.op_type == "Conv" and node.input[1] in weights), None)
    stem = weights[first.input[1]].dims[1] if first else 3
    channels = source.channels or stem
    graph = "from the ONNX graph"
    evidence = {"channels": graph} if source.channels else {"channels": "from the first convolution's weights"}
    sized = graph if source.height and source.width else "assumed: the graph takes any size"
    evidence |= {"height": sized, "width": sized}
    evidence |= dict.fromkeys(("mean", "std", "range", "order"), "assumed: an ONNX file does not say")
    spec = InputSpec(
        channels=channels,
        height=source.height or 224,
        width=source.width or 224,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        order={1: "L", 3: "RGB"}.get(channels, "planes"),
        crop=1.0,
        any_size=not (source.height and source.width),
        evidence=evidence,
    )
    return _with_range(model, source, spec)


def _with_range(model: ModelProto, source: GraphInput, spec: InputSpec) -> InputSpec:
    """Numbers from 0 to 255 where the graph itself scales such numbers; ImageNet's where it looks like PyTorch's."""
    shift = _first_constant(model, source.name)
    if shift is not None and 2 < np.abs(shift).max() < 256:
        reason = "the graph itself scales numbers from 0 to 255"
        blue_first = shift.size == 3 and abs(shift[0]) < abs(shift[1]) < abs(shift[2])  # ImageNet's blue is darkest
        evidence = {**spec.evidence, **dict.fromkeys(("mean", "std", "range", "order"), reason)}
        return replace(spec, range=(0.0, 255.0), order="BGR" if blue_first else spec.order, evidence=evidence)
    classes = {dim.dim_value for value in model.graph.output for dim in value.type.tensor_type.shape.dim}
    if spec.channels == 3 and 1000 in classes and model.producer_name == "pytorch":
        reason = "assumed: PyTorch's classifiers of ImageNet are mostly trained so"
        evidence = {**spec.evidence, "mean": reason, "std": reason}
        return replace(spec, mean=IMAGENET_MEAN, std=IMAGENET_STD, evidence=evidence)
    return spec


def _first_constant(model: ModelProto, name: str) -> np.ndarray | None:
    """What the graph adds to its input, or takes from it or divides it by, before anything else."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    users = [node for node in model.graph.node if name in node.input]
    if len(users) != 1:
        return None
    return _constant_of(users[0], constants)


def _constant_of(node: NodeProto, constants: dict[str, onnx.TensorProto]) -> np.ndarray | None:
    if node.op_type == "ImageScaler":
        return np.array(next((list(a.floats) for a in node.attribute if a.name == "bias"), [0.0]))
    if node.op_type in {"Sub", "Add", "Div"} and len(node.input) == 2 and node.input[1] in constants:
        return onnx.numpy_helper.to_array(constants[node.input[1]]).flatten()
    return None
