"""Clean an ONNX graph before it is converted: no functions, no constants in nodes, no half precision.

Newer exporters put weights behind Constant and Identity nodes and shapes behind arithmetic; converters look for
initialisers. So everything that depends on no input is computed here, once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto

from analysis.models.errors import ModelError
from analysis.models.onnx_ops.elementwise import DTYPES
from analysis.models.onnx_ops.registry import OPERATORS, node_of

_HALVES = {TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}


def fold(model: ModelProto) -> ModelProto:
    """An equal graph in float32: weights are initialisers, and no node is left that depends on no input.

    Raises ModelError for control flow.
    """
    folded = ModelProto()
    folded.CopyFrom(model)
    graph = folded.graph
    for node in graph.node:
        if node.op_type in {"Loop", "If", "Scan"}:
            raise ModelError(
                f"The graph holds control flow ({node.op_type}), whose path depends on the image. "
                "Export the net's backbone alone, or trace one path of it."
            )
    version = max(opset.version for opset in model.opset_import if opset.domain in {"", "ai.onnx"})
    known = {tensor.name: _float(onnx.numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in known]
    nodes = _remaining(list(graph.node), known, version, {value.name for value in graph.output})
    used = {name for node in nodes for name in node.input} | {value.name for value in graph.output}
    for field in (graph.node, graph.initializer, graph.value_info, graph.input):
        field.clear()
    graph.node.extend(nodes)
    graph.input.extend(inputs)
    graph.initializer.extend(onnx.numpy_helper.from_array(known[name], name) for name in sorted(used & known.keys()))
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in _HALVES:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    return folded


def _remaining(
    nodes: list[NodeProto], known: dict[str, np.ndarray], version: int, outputs: set[str]
) -> list[NodeProto]:
    """The nodes that depend on an input; what the others give is added to `known`."""
    renamed: dict[str, str] = {}
    kept = []
    for node in nodes:
        for place, name in enumerate(node.input):
            node.input[place] = renamed.get(name, name)
        if node.op_type == "Identity" and node.input[0] not in known and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
        elif not _computed(node, known, version):
            _in_single(node)
            kept.append(node)
    return kept


def _computed(node: NodeProto, known: dict[str, np.ndarray], version: int) -> bool:
    """Compute a node whose inputs are all known, if it can be; True where it was."""
    inputs = [name for name in node.input if name]
    operator = OPERATORS.get(node.op_type)
    if operator is None or node.op_type.startswith("Random") or not all(name in known for name in inputs):
        return False
    values = [torch.from_numpy(np.array(known[name])) if name else None for name in node.input]
    result = operator(node_of(node, version), *values)
    results = result if isinstance(result, tuple) else (result,)
    for name, value in zip((name for name in node.output if name), results, strict=False):
        known[name] = _float(value.contiguous().numpy())
    return True


def _float(values: np.ndarray) -> np.ndarray:
    """Floats of any precision as float32; everything else as it is."""
    return values.astype(np.float32) if values.dtype.kind == "f" or values.dtype.name == "bfloat16" else values


def _in_single(node: NodeProto) -> None:
    """A cast to another float becomes a cast to float32."""
    for attribute in node.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and DTYPES.get(attribute.i) is torch.float32:
            attribute.i = TensorProto.FLOAT
        elif attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type in _HALVES:
            attribute.t.CopyFrom(onnx.numpy_helper.from_array(_float(onnx.numpy_helper.to_array(attribute.t))))


def weight_sources(model: ModelProto) -> Mapping[str, str]:
    """Output name → the initialiser that it only passes on or dequantises: names survive folding."""
    sources = {tensor.name: tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in {"Identity", "DequantizeLinear", "Cast", "Transpose", "QuantizeLinear"}:
            source = sources.get(node.input[0])
            if source:
                sources.update(dict.fromkeys(node.output, source))
    return sources
