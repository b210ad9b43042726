"""Does the torch module compute what the ONNX file says? onnxruntime is the judge."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import ModelProto, TensorProto
from torch import nn

from analysis.models.difference import difference, typical_difference
from analysis.models.errors import ModelError
from analysis.models.input_spec import InputSpec
from analysis.models.onnx_graph import GraphInput
from analysis.models.onnx_ops.node import Unsupported
from analysis.models.onnx_ops.quantized import QUANTIZED

TOLERANCE = 1e-2
"""Of an output's standard deviation. Two right runtimes differ by up to 7e-4; wrong operators by 0.1 and more."""
TYPICAL = 5e-2
"""The same, root mean square, for quantised graphs: single numbers that lie between two steps may round to either."""


def compare_with_onnxruntime(
    module: nn.Module, model: ModelProto, folded: ModelProto, source: GraphInput, spec: InputSpec, name: str
) -> dict[str, Any]:
    """Run both on the same random images; the largest difference, in standard deviations of the output.

    One image, or as many as the file insists on.

    onnxruntime runs the file as it is; in half precision, which rounds differently, the graph made single instead.
    Numbers on a grid may round to the other side: quantised graphs are held to the difference's root mean square.
    Some nets enlarge rounding itself: what is above `TOLERANCE` is held against the same net in float64.

    Raises ModelError where onnxruntime is further from that than `TOLERANCE` and than twice what rounding does here, or
    where no output can be compared.
    """
    shape = (source.batch or 1, spec.channels, spec.height, spec.width)
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    try:
        arrays = run_onnxruntime(folded if _is_half(model) else model, source, image)
        expected = [torch.from_numpy(array) for array in arrays]
    except Exception as error:  # onnxruntime's errors have no common class of their own
        return {"onnxruntime": onnxruntime.__version__, "onnxruntime refuses": str(error).splitlines()[0][:300]}
    try:
        with torch.no_grad():
            output = module(image)
    except Unsupported:
        raise
    except Exception as error:  # whatever an operator of torch says
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{name} runs in onnxruntime but not here: {reason}. Export it with opset 17.") from error
    found = output_tensors(output)
    if len(found) != len(expected):
        raise ModelError(f"{name} gives {len(found)} outputs here and {len(expected)} in onnxruntime. Export it again.")
    worst = _farthest(found, expected)
    facts = {"onnxruntime": onnxruntime.__version__, "onnxruntime difference": worst}
    if worst <= TOLERANCE:
        return facts
    if any(node.op_type in QUANTIZED for node in folded.graph.node):
        typical = _farthest(found, expected, typical_difference)
        if typical <= TYPICAL:
            return {**facts, "typical difference": typical}
    exact = _in_double(module, image)
    rounding = _farthest(found, exact)
    if exact and _farthest(expected, exact) <= max(TOLERANCE, 2 * rounding):
        return {**facts, "rounding difference": rounding}
    raise ModelError(
        f"{name} computes something else here than in onnxruntime (off by {worst:.2g} standard deviations), so "
        "it is not shown. Export the model to ONNX again with opset 17."
    )


def _farthest(
    found: list[torch.Tensor],
    expected: list[torch.Tensor],
    measure: Callable[[torch.Tensor, torch.Tensor], float] = difference,
) -> float:
    """The largest difference of outputs that stand side by side; infinite where there are none."""
    return max((measure(mine, theirs) for mine, theirs in zip(found, expected, strict=False)), default=float("inf"))


def _in_double(module: nn.Module, image: torch.Tensor) -> list[torch.Tensor]:
    """The outputs in float64, from which those in float32 differ by rounding; none where an operator mixes kinds."""
    try:
        with torch.no_grad():
            return output_tensors(copy.deepcopy(module).double()(image.double()))
    except Exception:  # whatever it says
        return []


def _is_half(model: ModelProto) -> bool:
    halves = {TensorProto.FLOAT16, TensorProto.BFLOAT16}
    return any(tensor.data_type in halves for tensor in model.graph.initializer)


def output_tensors(output: Any) -> list[torch.Tensor]:
    """Every tensor that a model returned, in order."""
    if isinstance(output, torch.Tensor):
        return [output]
    values = output.values() if isinstance(output, dict) else output if isinstance(output, list | tuple) else []
    return [tensor for value in values for tensor in output_tensors(value)]


def run_onnxruntime(model: ModelProto, source: GraphInput, image: torch.Tensor) -> list[np.ndarray]:
    """The graph's outputs for images [B, C, H, W], on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    fed = (image.permute(0, 2, 3, 1) if source.channels_last else image).contiguous().numpy()
    kind = session.get_inputs()[0].type
    kinds = {"tensor(uint8)": np.uint8, "tensor(double)": np.float64, "tensor(float16)": np.float16}
    return [np.asarray(output) for output in session.run(None, {source.name: fed.astype(kinds.get(kind, np.float32))})]
