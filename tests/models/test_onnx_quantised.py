"""Graphs as onnxruntime's own quantiser writes them, in each of its styles, and float graphs of every operator set."""

import logging
import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from analysis.models.capture import run_to
from analysis.models.errors import ModelError
from analysis.models.onnx_compare import TYPICAL
from analysis.models.onnx_ops import quantized
from analysis.models.open import open_model

RANDOM = np.random.default_rng(0)


def weight(*shape):
    return RANDOM.normal(0, 0.3, shape).astype(np.float32)


WEIGHTS = {
    "stem.weight": weight(4, 3, 3, 3),
    "scale": weight(4),
    "shift": weight(4),
    "mean": weight(4),
    "variance": np.abs(weight(4)) + 1,
    "left.weight": weight(4, 4, 3, 3),
    "right.weight": weight(4, 4, 1, 1),
    "head": weight(5, 8),
    "bias": weight(5),
}


def save(path, opset):
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "stem.weight"], ["a"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["b"]),
        node("LeakyRelu", ["b"], ["c"], alpha=0.1),
        node("AveragePool", ["c"], ["d"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["d", "left.weight"], ["e"], pads=[1, 1, 1, 1]),
        node("Conv", ["d", "right.weight"], ["f"]),
        node("Sigmoid", ["f"], ["g"]),
        node("Mul", ["e", "g"], ["h"]),
        node("Add", ["h", "d"], ["i"]),
        node("Concat", ["i", "e"], ["j"], axis=1),
        node("GlobalAveragePool", ["j"], ["k"]),
        node("Flatten", ["k"], ["l"]),
        node("Gemm", ["l", "head", "bias"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", 3, 16, 16))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in WEIGHTS.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


@pytest.mark.parametrize("opset", range(7, 27))
def test_every_operator_set_opens(opset, tmp_path):
    card = open_model(save(tmp_path / "net.onnx", opset)).card
    assert [layer.name for layer in card.layers] == ["stem", "left", "right"]
    assert card.verification["onnxruntime difference"] < 1e-4


class Images(CalibrationDataReader):
    """Four random images to choose ranges by."""

    def __init__(self):
        self.left = iter([{"x": RANDOM.random((1, 3, 16, 16), dtype=np.float32)} for _ in range(4)])

    def get_next(self):
        return next(self.left, None)


INTEGERS = {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8}
STYLES = {
    "dynamic": lambda source, path: quantize_dynamic(source, path, weight_type=QuantType.QUInt8),
    "QDQ": lambda source, path: quantize_static(source, path, Images(), quant_format=QuantFormat.QDQ),
    "QDQ, a scale a channel": lambda source, path: quantize_static(
        source, path, Images(), quant_format=QuantFormat.QDQ, per_channel=True, **INTEGERS
    ),
    "operators": lambda source, path: quantize_static(source, path, Images(), quant_format=QuantFormat.QOperator),
}


def quantised(style, folder):
    logging.disable()  # it advises preprocessing
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            STYLES[style](save(folder / "float.onnx", 17), folder / "net.onnx")
    finally:
        logging.disable(logging.NOTSET)
    return folder / "net.onnx"


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_the_quantiser_opens_with_a_gradient(style, tmp_path):
    model = open_model(quantised(style, tmp_path))
    assert [layer.name for layer in model.card.layers] == ["stem", "left", "right"]
    seen = model.card.verification
    assert seen.get("typical difference", seen["onnxruntime difference"]) < TYPICAL
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(run_to(model, images, "left").square().sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("style", ["QDQ", "operators"])
def test_a_zero_point_that_is_a_step_off_is_refused(style, tmp_path, monkeypatch):
    """What the root mean square lets pass is rounding, not a wrong number."""
    right = quantized._zero
    monkeypatch.setattr(quantized, "_zero", lambda point, x, axis: right(point, x, axis) + 1)
    with pytest.raises(ModelError, match="computes something else"):
        open_model(quantised(style, tmp_path))
