"""Does the torch module compute what the ONNX file says? onnxruntime is the judge."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import ModelProto
from torch import nn

from analysis.models.errors import ModelError
from analysis.models.input_spec import InputSpec
from analysis.models.onnx_graph import GraphInput

TOLERANCE = 1e-2
"""Of an output's standard deviation. Two right runtimes differ by up to 7e-4; wrong operators by 0.1 and more."""


def compare_with_onnxruntime(
    module: nn.Module, model: ModelProto, source: GraphInput, spec: InputSpec, name: str
) -> dict[str, Any]:
    """Run both on the same random input [1, C, H, W]; the largest difference, in standard deviations of the output.

    Raises ModelError above `TOLERANCE`.
    """
    shape = (1, spec.channels, spec.height, spec.width)
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    expected = run_onnxruntime(model, source, image)
    with torch.no_grad():
        output = module(image)
    found = [output] if isinstance(output, torch.Tensor) else list(output)
    worst = max(_difference(mine.numpy(), theirs) for mine, theirs in zip(found, expected, strict=True))
    if not worst <= TOLERANCE:
        raise ModelError(
            f"{name} computes something else here than in onnxruntime (off by {worst:.2g} standard deviations), so "
            "it is not shown. Export the model to ONNX again with opset 17."
        )
    return {"onnxruntime difference": worst, "onnxruntime": onnxruntime.__version__}


def run_onnxruntime(model: ModelProto, source: GraphInput, image: torch.Tensor) -> list[np.ndarray]:
    """The graph's outputs for one image, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    fed = image.permute(0, 2, 3, 1) if source.channels_last else image
    return [np.asarray(output) for output in session.run(None, {source.name: fed.contiguous().numpy()})]


def _difference(mine: np.ndarray, theirs: np.ndarray) -> float:
    if mine.shape != theirs.shape:
        return float("inf")
    scale = max(float(theirs.std()), 1e-6 * max(float(np.abs(theirs).max(initial=0)), 1e-30))
    return float(np.abs(mine.astype(np.float64) - theirs).max(initial=0)) / scale
