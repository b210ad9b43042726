"""A graph that was exported with one size of batch takes any, or is run image by image."""

import onnxruntime
import pytest
import torch
from onnx import helper
from torch import nn

from analysis.models.capture import read, run_to
from analysis.models.open import open_model
from tests.models.graphs import STEM, conv, ints, save, weight


def test_a_reshape_that_knows_its_batch_takes_others(tmp_path):
    nodes = [
        conv("y"),
        helper.make_node("Reshape", ["y", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "m"], ["z"]),
    ]
    weights = {**STEM, "shape": ints(1, 560), "m": weight(560, 2)}
    model = open_model(save(tmp_path / "net.onnx", nodes, weights))
    assert not model.card.one_by_one
    assert model(torch.rand(16, 3, 16, 12)).shape == (16, 2)


def test_a_graph_that_keeps_only_the_first_image_is_run_one_by_one(tmp_path):
    """As exporters do that specialised on a batch of one: no error, and wrong numbers for every other image."""
    nodes = [
        helper.make_node("Slice", ["x", "zero", "one", "zero"], ["first"]),
        helper.make_node("Expand", ["first", "like"], ["all"]),
        conv("y", "all"),
        helper.make_node("Shape", ["x"], ["like"]),
    ]
    weights = {**STEM, "zero": ints(0), "one": ints(1)}
    model = open_model(save(tmp_path / "net.onnx", [nodes[0], nodes[3], *nodes[1:3]], weights, out="y"))
    assert model.card.one_by_one
    images = torch.rand(3, 3, 16, 12)
    expected = nn.functional.conv2d(images, torch.from_numpy(STEM["stem.weight"]))
    torch.testing.assert_close(run_to(model, images, "stem"), expected)
    torch.testing.assert_close(read(model, images, ["stem"])["stem"][0], expected)


@pytest.mark.parametrize("attributes", [{}, {"allowzero": 1}], ids=["", "allowzero"])
def test_a_batch_of_one_in_a_reshape_becomes_any(tmp_path, attributes):
    nodes = [
        conv("y"),
        helper.make_node("Reshape", ["y", "shape"], ["flat"], **attributes),
        helper.make_node("MatMul", ["flat", "m"], ["z"]),
    ]
    weights = {**STEM, "shape": ints(1, 4, -1), "m": weight(140, 3)}
    model = open_model(save(tmp_path / "net.onnx", nodes, weights, opset=17))
    images = torch.rand(3, 3, 16, 12)
    assert not model.card.one_by_one
    torch.testing.assert_close(model(images), torch.cat([model(image) for image in images.split(1)]))


def test_a_one_that_is_not_the_batch_is_left(tmp_path):
    """Windows cut out of a map stand where the batch was: such a graph is run image by image, and right."""
    nodes = [
        conv("y"),
        helper.make_node("Reshape", ["y", "windows"], ["w"]),
        helper.make_node("Softmax", ["w"], ["s"], axis=2),
        helper.make_node("Reshape", ["s", "back"], ["b"]),
        conv("z", "b", "last.weight"),
    ]
    weights = {**STEM, "windows": ints(4, 1, 140), "back": ints(1, 4, 14, -1), "last.weight": weight(2, 4, 1, 1)}
    path = save(tmp_path / "net.onnx", nodes, weights)
    model = open_model(path)
    assert model.card.one_by_one
    image = torch.rand(1, 3, 16, 12)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": image.numpy()})
    torch.testing.assert_close(model(image), torch.from_numpy(expected), rtol=1e-4, atol=1e-5)


def test_a_fixed_batch_of_two_is_fed_two_and_becomes_any(tmp_path):
    nodes = [conv("y"), helper.make_node("Reshape", ["y", "shape"], ["z"])]
    path = save(tmp_path / "net.onnx", nodes, {**STEM, "shape": ints(2, -1)}, shape=(2, 3, 16, 12))
    model = open_model(path)
    assert model.card.verification["onnxruntime difference"] < 1e-4
    assert model(torch.rand(1, 3, 16, 12)).shape == (1, 560)
    assert not model.card.one_by_one
