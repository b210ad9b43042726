"""ONNX: through onnx2torch to a torch module, compared with onnxruntime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from onnx import ModelProto
from torch import nn

from analysis.models import torchvision_import  # noqa: F401  (before onnx2torch)
from analysis.models.blank import blank_weights
from analysis.models.errors import ModelError
from analysis.models.input_spec import InputSpec
from analysis.models.onnx_compare import compare_with_onnxruntime
from analysis.models.onnx_graph import CONVOLUTIONS, GraphInput, graph_input, layer_names, load_onnx
from analysis.models.opened import Opened


def open_onnx(path: Path) -> Opened:
    """An ONNX file → a torch module whose outputs are those of onnxruntime. Raises ModelError."""
    model = load_onnx(path)
    source = graph_input(model, path.name)
    spec = _spec(model, source)
    module, names = _convert(model, path.name)
    verification = compare_with_onnxruntime(module, model, source, spec, path.name)
    return Opened(
        module=module,
        spec=spec,
        format="onnx",
        evidence=f"An ONNX graph of opset {max(opset.version for opset in model.opset_import)}.",
        verification=verification,
        names=names,
        one_by_one=source.batch == 1,
    )


def _spec(model: ModelProto, source: GraphInput) -> InputSpec:
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    first = next((node for node in model.graph.node if node.op_type == "Conv" and node.input[1] in weights), None)
    stem = weights[first.input[1]].dims[1] if first else 3
    channels = source.channels or stem
    graph = "from the ONNX graph"
    evidence = {"channels": graph} if source.channels else {}
    evidence |= {"height": graph, "width": graph} if source.height and source.width else {}
    evidence |= dict.fromkeys(("mean", "std", "range", "order"), "assumed: the file does not say")
    spec = InputSpec(height=source.height or 224, width=source.width or 224, crop=1.0, evidence=evidence)
    order = {1: "L", 3: "RGB"}.get(channels, "planes")
    return replace(spec, channels=channels, mean=(0.0,) * channels, std=(1.0,) * channels, order=order)


def _convert(model: ModelProto, name: str) -> tuple[nn.Module, dict[int, str]]:
    import onnx2torch

    shown = layer_names(model)
    convolutions = []
    for number, node in enumerate(model.graph.node):
        node.name = f"node_{number}"
        if node.op_type in CONVOLUTIONS:
            convolutions.append(node.name)
    try:
        with blank_weights():
            module: nn.Module = onnx2torch.convert(model)
    except (NotImplementedError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{name} uses something that can not be converted: {error}. Export it with opset 17."
        ) from error
    weights: dict[int, str] = {}
    for node_name, layer in zip(convolutions, shown, strict=True):
        for parameter in module.get_submodule(node_name).parameters():
            if parameter.dim() > 1:
                weights[parameter.data_ptr()] = layer
    return module.eval(), weights


def output_tensors(output: object) -> list[torch.Tensor]:
    """Every tensor that a model returned, in order."""
    if isinstance(output, torch.Tensor):
        return [output]
    values = output.values() if isinstance(output, dict) else output if isinstance(output, list | tuple) else []
    return [tensor for value in values for tensor in output_tensors(value)]
