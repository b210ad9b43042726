"""ONNX graphs of every kind: what comes out is what onnxruntime computes, with names and gradients."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from analysis.models.capture import read, run_to
from analysis.models.errors import ModelError, OnlyWeights
from analysis.models.open import inspect_model, open_model
from tests.models.graphs import RANDOM, STEM, conv, ints, save, weight


def one(kind, *inputs, opset=17, **attributes):
    return kind, inputs, attributes, opset


OPERATORS = {
    "auto_pad": one("Conv", "y", weight(5, 4, 4, 3), auto_pad="SAME_LOWER", strides=[2, 3]),
    "uneven pads": one("Conv", "y", weight(5, 4, 3, 3), pads=[0, 1, 2, 0], dilations=[2, 1]),
    "transposed": one("ConvTranspose", "y", weight(4, 5, 3, 3), strides=[2, 2], output_shape=[29, 22]),
    "transposed, uneven": one("ConvTranspose", "y", weight(4, 2, 3, 3), group=2, pads=[0, 1, 1, 0], strides=[2, 1]),
    "max pool, ceil": one("MaxPool", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "max pool, uneven": one("MaxPool", "y", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1]),
    "average, counted": one(
        "AveragePool", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "average, not counted": one("AveragePool", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1]),
    "average, same": one("AveragePool", "y", kernel_shape=[2, 2], auto_pad="SAME_UPPER"),
    "lrn": one("LRN", "y", size=3, alpha=0.1, beta=0.7, bias=1.5),
    "instance norm": one("InstanceNormalization", "y", weight(4), weight(4)),
    "layer norm": one("LayerNormalization", "y", weight(14, 10), weight(14, 10), axis=2),
    "old softmax": one("Softmax", "y", axis=1, opset=11),
    "softmax": one("Softmax", "y", axis=1),
    "clip": one("Clip", "y", "", np.float32(0.3)),
    "old clip": one("Clip", "y", min=-0.2, max=0.3, opset=9),
    "prelu": one("PRelu", "y", weight(4, 1, 1)),
    "hard sigmoid": one("HardSigmoid", "y", alpha=0.3, beta=0.4),
    "gelu": one("Gelu", "y", approximate="tanh", opset=20),
    "reduce, axes as input": one("ReduceMean", "y", ints(2, 3), opset=18),
    "reduce, axes as attribute": one("ReduceMax", "y", axes=[1], keepdims=0, opset=13),
    "reduce l2": one("ReduceL2", "y", ints(1), opset=18),
    "slice backwards": one("Slice", "y", ints(-1), ints(-100), ints(2), ints(-2)),
    "old slice": one("Slice", "y", starts=[1, 2], ends=[9, 100], axes=[2, 3], opset=9),
    "pad, edge": one("Pad", "y", ints(0, 0, 1, 2, 0, 0, 3, 0), mode="edge"),
    "old pad, reflect": one("Pad", "y", mode="reflect", pads=[0, 0, 1, 1, 0, 0, 2, 0], opset=9),
    "to space, DCR": one("DepthToSpace", "y", blocksize=2),
    "to space, CRD": one("DepthToSpace", "y", blocksize=2, mode="CRD"),
    "to depth": one("SpaceToDepth", "y", blocksize=2),
    "nearest": one("Resize", "y", "", np.float32([1, 1, 2, 1.5]), mode="nearest"),
    "nearest, floor": one(
        "Resize",
        "y",
        "",
        np.float32([1, 1, 2, 2]),
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    ),
    "linear": one("Resize", "y", "", "", ints(1, 4, 9, 21), mode="linear"),
    "linear, corners": one(
        "Resize", "y", "", "", ints(1, 4, 9, 21), mode="linear", coordinate_transformation_mode="align_corners"
    ),
    "cubic": one("Resize", "y", "", "", ints(1, 4, 20, 21), mode="cubic", cubic_coeff_a=-0.5),
    "old resize": one("Resize", "y", np.float32([1, 1, 2, 2]), mode="linear", opset=10),
    "upsample": one("Upsample", "y", np.float32([1, 1, 2, 3]), mode="nearest", opset=9),
    "gather": one("Gather", "y", ints(3, -1, 0), axis=1),
    "tile": one("Tile", "y", ints(1, 1, 2, 1)),
    "top k": one("TopK", "y", ints(2), axis=1),
    "matmul": one("MatMul", "y", weight(10, 6)),
    "old broadcast": one("Add", "y", weight(4), axis=1, broadcast=1, opset=6),
    "cumsum": one("CumSum", "y", np.array(2, np.int64), exclusive=1, reverse=1),
    "leaky": one("LeakyRelu", "y", alpha=0.2),
    "celu": one("Celu", "y", alpha=0.7),
    "mod": one("Mod", "y", np.float32(0.3), fmod=1),
    "einsum": one("Einsum", "y", weight(4, 6), equation="bchw,cd->bdhw"),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_computes_what_onnxruntime_does(name, tmp_path):
    kind, inputs, attributes, opset = OPERATORS[name]
    weights = dict(STEM)
    names = []
    for place, value in enumerate(inputs):
        if isinstance(value, str):
            names.append(value)
        else:
            names.append(f"w{place}")
            weights[names[-1]] = np.asarray(value)
    outputs = ["z", "indices"] if kind == "TopK" else ["z"]
    nodes = [conv("y"), helper.make_node(kind, names, outputs, **attributes)]
    card = open_model(save(tmp_path / "net.onnx", nodes, weights, opset=opset, out="z")).card
    if "onnxruntime refuses" not in card.verification:
        assert card.verification["onnxruntime difference"] < 1e-4
    else:
        assert opset < 7  # the only sets that onnxruntime no longer runs


def test_one_output_of_a_node_that_has_two(tmp_path):
    nodes = [conv("y"), helper.make_node("Split", ["y", "sizes"], ["a", "b"], axis=1)]
    model = open_model(save(tmp_path / "net.onnx", nodes, {**STEM, "sizes": ints(1, 3)}, out="b"))
    assert model(torch.rand(1, 3, 16, 12)).shape == (1, 3, 14, 10)


def test_channels_last_graphs_take_channels_first(tmp_path):
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        conv("c", "t", pads=[1, 1, 1, 1]),
        helper.make_node("Transpose", ["c"], ["y"], perm=[0, 2, 3, 1]),
    ]
    model = open_model(save(tmp_path / "net.onnx", nodes, STEM, shape=(1, 16, 12, 3)))
    assert (model.card.input.channels, model.card.input.height, model.card.input.width) == (3, 16, 12)
    images = torch.rand(2, 3, 16, 12)
    expected = nn.functional.conv2d(images, torch.from_numpy(STEM["stem.weight"]), padding=1)
    torch.testing.assert_close(run_to(model, images, "stem"), expected)
    assert model.card.layers[0].receptive_field == (3, 3)


def test_weights_behind_identity_and_constant_nodes_keep_their_names(tmp_path):
    nodes = [
        helper.make_node("Identity", ["stem.weight"], ["a"]),
        conv("y", "x", "a"),
        helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(weight(5, 4, 1, 1))),
        helper.make_node("Conv", ["y", "b"], ["z"], name="/block/second/Conv"),
        helper.make_node("Conv", ["z", "487"], ["out"]),
    ]
    card = open_model(save(tmp_path / "net.onnx", nodes, {**STEM, "487": weight(2, 5, 1, 1)})).card
    assert [layer.name for layer in card.layers] == ["stem", "block/second", "conv_3"]


def test_a_weight_used_twice_is_one_layer(tmp_path):
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["p"]),
        conv("y", "p", "k.weight"),
        conv("z", "y", "k.weight"),
    ]
    weights = {"k.weight": weight(3, 3, 3, 3), "pads": ints(0, 0, 2, 2, 0, 0, 2, 2)}
    model = open_model(save(tmp_path / "net.onnx", nodes, weights))
    assert [(layer.name, layer.sites) for layer in model.card.layers] == [("k", 2)]
    assert len(read(model, torch.rand(1, 3, 16, 12), ["k"])["k"]) == 2


def test_half_precision_is_computed_in_single(tmp_path):
    graph = helper.make_graph(
        [conv("y"), helper.make_node("Relu", ["y"], ["z"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, (1, 3, 16, 12))],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT16, None)],
        [numpy_helper.from_array(STEM["stem.weight"].astype(np.float16), "stem.weight")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "net.onnx"
    )
    model = open_model(tmp_path / "net.onnx")
    assert run_to(model, torch.rand(1, 3, 16, 12), "stem").dtype == torch.float32


@pytest.mark.parametrize("style", ["QDQ", "QLinear"])
def test_quantised_graphs_keep_a_straight_through_gradient(style, tmp_path):
    scale, zero = np.float32(0.02), np.uint8(3)
    kernel = RANDOM.integers(-100, 100, (4, 3, 3, 3)).astype(np.int8)
    weights = {
        "s": scale,
        "z": zero,
        "stem.weight_quantized": kernel,
        "ws": np.float32([0.01, 0.02, 0.005, 0.01]),
        "wz": np.zeros(4, np.int8),
        "ys": np.float32(0.05),
        "yz": np.uint8(100),
    }
    if style == "QDQ":
        nodes = [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
            helper.make_node("DequantizeLinear", ["stem.weight_quantized", "ws", "wz"], ["w"], axis=0),
            conv("y", "d", "w"),
        ]
    else:
        nodes = [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            helper.make_node("QLinearConv", ["q", "s", "z", "stem.weight_quantized", "ws", "wz", "ys", "yz"], ["c"]),
            helper.make_node("DequantizeLinear", ["c", "ys", "yz"], ["y"]),
        ]
    model = open_model(save(tmp_path / "net.onnx", nodes, weights))
    assert [layer.name for layer in model.card.layers] == ["stem"]
    images = torch.rand(1, 3, 16, 12, requires_grad=True)
    (gradient,) = torch.autograd.grad(run_to(model, images, "stem").square().sum(), images)
    assert gradient.abs().mean() > 0


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ([conv("y"), helper.make_node("Mystery", ["y"], ["z"], domain="my.ops")], "my.ops::Mystery"),
        ([conv("y"), helper.make_node("Resize", ["y", "", "f"], ["z"], mode="linear", antialias=1)], "antialias"),
        ([], "without any node"),
    ],
)
def test_refused_naming_the_reason(nodes, sentence, tmp_path):
    nodes = nodes or [conv("y")]
    weights = {**STEM, "f": np.float32([1, 1, 0.5, 0.5])}
    path = save(tmp_path / "net.onnx", nodes, weights, opset=18, domains=[helper.make_opsetid("my.ops", 1)])
    if sentence == "without any node":
        model = onnx.load(path)
        model.graph.ClearField("node")
        onnx.save(model, path)
    with pytest.raises(ModelError, match=sentence):
        open_model(path)


class Small(nn.Module):
    """Layer norm over channels, grouped and dilated convolutions, an unused bias: what exporters trip over."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.norm = nn.BatchNorm2d(8)
        self.deep = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8)
        self.mix = nn.Linear(8, 8)
        self.layer = nn.LayerNorm(8)
        self.last = nn.Conv2d(8, 6, 1)

    def forward(self, images):
        maps = nn.functional.relu6(self.norm(self.stem(images)))
        maps = maps + self.layer(self.mix(self.deep(maps).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        maps = nn.functional.interpolate(maps, scale_factor=2, mode="bilinear")
        return nn.functional.gelu(self.last(maps)).mean((2, 3))


@pytest.mark.parametrize("exporter", ["old", "new"])
def test_both_exporters_of_pytorch(exporter, tmp_path):
    torch.manual_seed(0)
    net = Small().eval()
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = (torch.rand(1, 3, 32, 24),)
        if exporter == "old":
            torch.onnx.export(net, example, str(path), opset_version=17, dynamo=False)
        else:
            torch.onnx.export(net, example, str(path), dynamo=True, external_data=False, verbose=False)
    model = open_model(path)
    images = torch.rand(2, 3, 32, 24, requires_grad=True)
    torch.testing.assert_close(model(images), net(images), rtol=1e-4, atol=1e-5)
    layers = [layer.name for layer in model.card.layers]
    assert len(layers) == 3
    (gradient,) = torch.autograd.grad(run_to(model, images, layers[-1]).square().sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def test_a_convolution_of_a_constant_is_no_layer(tmp_path):
    """Positions encoded by a convolution do not see the image: folded away, and the other layers keep their names."""
    nodes = [
        conv("p", "positions", "position.weight"),
        conv("y"),
        helper.make_node("Add", ["y", "p"], ["sum"]),
        conv("z", "sum", "last.weight"),
    ]
    weights = {
        **STEM,
        "positions": weight(1, 2, 14, 10),
        "position.weight": weight(4, 2, 1, 1),
        "last.weight": weight(2, 4, 1, 1),
    }
    card = open_model(save(tmp_path / "net.onnx", nodes, weights)).card
    assert [layer.name for layer in card.layers] == ["stem", "last"]


@pytest.mark.parametrize("shape", [(1, 3, 100), (1, 3, 8, 16, 16)], ids=["audio", "video"])
def test_what_takes_no_image_is_listed(tmp_path, shape):
    kernel = weight(4, 3, *[3] * (len(shape) - 2))
    path = save(tmp_path / "net.onnx", [conv("y")], {"stem.weight": kernel}, shape=shape)
    with pytest.raises(OnlyWeights, match="no image"):
        open_model(path)
    card = inspect_model(path)
    assert card.weights_only
    assert [(layer.name, layer.kind) for layer in card.layers] == [("stem", f"Conv{len(shape) - 2}d")]


def test_large_numbers_still_have_a_gradient(tmp_path):
    """Untrained nets of one number in all weights grow to 1e20, whose square is no float32."""
    nodes = [conv("a"), conv("b", "a", "second.weight"), conv("z", "b", "third.weight")]
    large = {name: np.full((4, 4, 1, 1), 1e10, np.float32) for name in ("second.weight", "third.weight")}
    card = open_model(save(tmp_path / "net.onnx", nodes, {**STEM, **large})).card
    assert len(card.layers) == 3


def test_a_net_of_pytorch_for_a_thousand_classes_is_taken_for_one_of_imagenet(tmp_path):
    nodes = [conv("y"), helper.make_node("GlobalAveragePool", ["y"], ["p"]), helper.make_node("Flatten", ["p"], ["f"])]
    nodes += [helper.make_node("Gemm", ["f", "w"], ["z"])]
    path = save(tmp_path / "net.onnx", nodes, {**STEM, "w": weight(4, 1000)}, producer_name="pytorch")
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.shape.CopyFrom(
        helper.make_tensor_value_info("z", TensorProto.FLOAT, (1, 1000)).type.tensor_type.shape
    )
    onnx.save(model, path)
    found = open_model(path).card.input
    assert found.mean == pytest.approx((0.485, 0.456, 0.406))
    assert found.evidence["mean"].startswith("assumed")
    onnx.save(helper.make_model(model.graph, producer_name="another", opset_imports=model.opset_import), path)
    assert open_model(path).card.input.mean == (0.0, 0.0, 0.0)


LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"


@pytest.mark.parametrize(
    ("name", "convs"),
    [
        ("squeezenet", 26),
        ("shufflenet", 49),
        *(
            pytest.param(name, convs, marks=pytest.mark.slow)
            for name, convs in [
                ("bvlc_alexnet", 5),
                ("inception_v1", 57),
                ("inception_v2", 69),
                ("resnet50", 53),
                ("vgg19", 16),
                ("zfnet512", 5),
            ]
        ),
    ],
)
def test_the_light_nets_of_the_onnx_package(name, convs):
    """Old exports of operator set 9, their weights made by ConstantOfShape; the counts are those of the papers."""
    card = open_model(LIGHT / f"light_{name}.onnx").card
    assert len(card.layers) == convs
    assert card.verification["onnxruntime difference"] < 1e-2
    assert not card.one_by_one
    assert any("not trained" in warning for warning in card.warnings)
