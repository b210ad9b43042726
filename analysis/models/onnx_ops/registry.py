"""Hands this package's operators to onnx2torch, in the place of its own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import onnx
import torch
from torch import nn

from analysis.models import torchvision_import  # noqa: F401  (before onnx2torch)
from analysis.models.onnx_ops.elementwise import ELEMENTWISE
from analysis.models.onnx_ops.layers import LAYERS
from analysis.models.onnx_ops.node import Node, Operator, first_wins
from analysis.models.onnx_ops.quantized import QUANTIZED
from analysis.models.onnx_ops.resize import RESIZE
from analysis.models.onnx_ops.shapes import SHAPES
from analysis.models.onnx_ops.windows import WINDOWS

OPERATORS = first_wins(ELEMENTWISE, SHAPES, WINDOWS, LAYERS, RESIZE, QUANTIZED)
NEWEST = 40  # operator sets are numbered to 26 today


class OnnxOperator(nn.Module):
    """One node, with its constant inputs inside.

    onnx2torch turns an omitted input into a keyword, so this takes those present and knows their places.
    """

    def __init__(self, operator: Operator, node: Node, held: dict[int, torch.Tensor], fed: tuple[int, ...]) -> None:
        super().__init__()
        self.operator, self.node, self.fed, self.held = operator, node, fed, tuple(held)
        self.count = max((*held, *fed), default=-1) + 1
        for place, value in held.items():
            self.register_buffer(f"input_{place}", value)

    def forward(self, *present: torch.Tensor) -> Any:
        inputs: list[torch.Tensor | None] = [None] * self.count
        for place, value in zip(self.fed, present, strict=True):
            inputs[place] = value
        for place in self.held:
            inputs[place] = self.get_buffer(f"input_{place}")
        return self.operator(self.node, *inputs)


def node_of(proto: onnx.NodeProto, version: int) -> Node:
    """An ONNX node's facts as Python values; text as str, tensors as torch's."""
    attributes = {}
    for attribute in proto.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        if isinstance(value, onnx.TensorProto):
            value = torch.from_numpy(onnx.numpy_helper.to_array(value).copy())
        elif isinstance(value, bytes):
            value = value.decode(errors="replace")
        elif not isinstance(value, int | float | str):
            value = list(value)
        attributes[attribute.name] = value
    return Node(proto.op_type, attributes, version, len([name for name in proto.output if name]))


@lru_cache(maxsize=1)
def register() -> None:
    """Enter every operator for every version, over onnx2torch's own. Once a process."""
    for kind, operator in OPERATORS.items():
        for version in range(1, NEWEST):
            _enter(kind, version, operator)


def _enter(kind: str, version: int, operator: Operator) -> None:
    from onnx2torch.node_converters import registry
    from onnx2torch.utils.common import OnnxMapping, OperationConverterResult

    def convert(onnx_node: Any, graph: Any) -> Any:
        names = dict(enumerate(onnx_node.input_values))
        held = {
            place: graph.initializers[name].to_torch() for place, name in names.items() if name in graph.initializers
        }
        fed = tuple(place for place, name in names.items() if name and place not in held)
        module = OnnxOperator(operator, node_of(onnx_node.proto, version), held, fed)
        inputs = tuple(names[place] for place in fed)
        return OperationConverterResult(module, OnnxMapping(inputs=inputs, outputs=tuple(onnx_node.output_values)))

    registry._CONVERTER_REGISTRY[registry.OperationDescription("", kind, version)] = convert
