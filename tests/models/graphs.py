"""Small ONNX graphs for tests, made node by node."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(0)


def weight(*shape):
    return RANDOM.normal(0, 0.3, shape).astype(np.float32)


def save(path, nodes, weights, shape=(1, 3, 16, 12), opset=17, out=None, **options):
    """A graph from `x` to the last node's output, saved. options go to make_model."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(out or nodes[-1].output[0], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    domains = [helper.make_opsetid("", opset), *options.pop("domains", [])]
    model = helper.make_model(graph, opset_imports=domains, ir_version=8, **options)
    onnx.save(model, path)
    return path


def conv(name="y", source="x", kernel="stem.weight", **attributes):
    return helper.make_node("Conv", [source, kernel], [name], **attributes)


def ints(*values):
    return np.array(values, np.int64)


STEM = {"stem.weight": weight(4, 3, 3, 3)}
