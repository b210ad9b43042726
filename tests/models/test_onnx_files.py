"""ONNX files: what lies beside them is part of them, and hostile ones are refused."""

import numpy as np
import onnx
import pytest
from onnx import helper

from analysis.atlas.library import Library
from analysis.models.errors import ModelError
from analysis.models.open import open_model, reopen
from tests.models.graphs import STEM, conv, ints, save, weight


def test_external_data_beside_the_file_opens_and_outside_of_it_does_not(tmp_path):
    path = save(tmp_path / "net.onnx", [conv("y")], {"stem.weight": weight(40, 3, 3, 3)})
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="net.data", size_threshold=0)
    assert len(open_model(path).card.layers) == 1
    (tmp_path / "net.data").unlink()
    with pytest.raises(ModelError, match=r"net\.data"):
        open_model(path)
    model = onnx.load(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        entry.value = "../../etc/passwd" if entry.key == "location" else entry.value
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError):
        open_model(path)


def test_a_tensor_out_of_nothing_is_refused(tmp_path):
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["w"]),
        conv("y", "x", "w"),
    ]
    with pytest.raises(ModelError, match="out of nothing"):
        open_model(save(tmp_path / "net.onnx", nodes, {"size": ints(2**20, 3, 2**10, 2**10)}))


def test_a_cut_file_is_refused(tmp_path):
    path = save(tmp_path / "net.onnx", [conv("y")], STEM)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError):
        open_model(path)


def external(folder, scale=1.0):
    folder.mkdir(exist_ok=True)
    save(folder / "net.onnx", [conv("y")], {"stem.weight": STEM["stem.weight"] * np.float32(scale)})
    model = onnx.load(folder / "net.onnx")
    onnx.save(model, folder / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    return folder / "net.onnx"


def test_weights_in_another_file_are_part_of_the_model(tmp_path):
    first, second = (open_model(external(tmp_path / name, scale)).card for name, scale in (("a", 1.0), ("b", 2.0)))
    assert first.side_files == ("net.data",)
    assert first.sha256 != second.sha256


def test_a_model_opens_again_only_while_it_is_the_same_file(tmp_path):
    path = external(tmp_path / "net")
    card = open_model(path).card
    assert reopen(path, card).card == card
    (path.parent / "net.data").write_bytes((STEM["stem.weight"] * 2).tobytes())
    with pytest.raises(ModelError, match="changed or damaged"):
        reopen(path, card)


def test_a_library_keeps_the_weights_of_the_other_file(tmp_path):
    path = external(tmp_path / "net")
    card = open_model(path).card
    shelf = Library(tmp_path / "library")
    shelf.add_model(card, path)
    kept, file = shelf.model(card.id)
    assert kept == card
    assert reopen(file, kept).card.sha256 == card.sha256


def test_deep_nesting_is_refused(tmp_path):
    """A graph in an attribute of a node of a graph …, two thousand levels deep, in twenty kilobytes."""
    content = b""
    for _ in range(2000):
        for field in (6 << 3 | 2, 5 << 3 | 2, 1 << 3 | 2):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            content = bytes([field]) + encoded(len(content)) + content
    content = bytes([1 << 3, 8]) + bytes([7 << 3 | 2]) + encoded(len(content)) + content  # ModelProto.graph
    (tmp_path / "deep.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        open_model(tmp_path / "deep.onnx")


def encoded(number):
    """A number as protobuf writes it: seven bits a byte."""
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])
