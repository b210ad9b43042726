"""Reading checkpoints: every kind of wrapping opens, and nothing of a hostile file runs."""

import contextlib
import io
import os
import pickle
import struct
import zipfile

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from analysis.models import zoo
from analysis.models.errors import ModelError, OnlyWeights
from analysis.models.open import inspect_model, open_model


def squeezenet():
    torch.manual_seed(0)
    state = zoo.build("torchvision", "squeezenet1_1").state_dict()
    return {key: torch.randn_like(tensor) * 0.1 for key, tensor in state.items()}


def prefixed(prefix):
    return {prefix + key: tensor for key, tensor in squeezenet().items()}


WRAPPED = {
    "bare": squeezenet,
    "state_dict": lambda: {"state_dict": squeezenet(), "epoch": 3, "optimizer": {"state": {0: torch.zeros(3)}}},
    "model and more": lambda: {"model": squeezenet(), "scaler": {"scale": 1.0}, "args": {"lr": 0.1}},
    "deeper": lambda: {"ema": {"module": squeezenet()}},
    "module.": lambda: prefixed("module."),
    "stack": lambda: {"model_state_dict": prefixed("_orig_mod.module.model.")},
    "lightning": lambda: {"state_dict": prefixed("net."), "pytorch-lightning_version": "2.0", "hyper_parameters": {}},
    "half": lambda: {key: tensor.half() for key, tensor in squeezenet().items()},
    "bfloat16": lambda: {key: tensor.bfloat16() for key, tensor in squeezenet().items()},
}


@pytest.mark.parametrize("how", WRAPPED)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_every_wrapping_opens(tmp_path, how, legacy):
    path = tmp_path / "net.pth"
    torch.save(WRAPPED[how](), path, _use_new_zipfile_serialization=not legacy)
    model = open_model(path)
    assert model.card.architecture == "squeezenet1_1"
    assert len(model.card.layers) == 26
    expected = squeezenet()["features.0.weight"]
    torch.testing.assert_close(model.module.features[0].weight.data, expected, rtol=1e-2, atol=1e-3)
    assert model.module.features[0].weight.dtype == torch.float32


def test_safetensors(tmp_path):
    save_file(squeezenet(), tmp_path / "net.safetensors")
    card = open_model(tmp_path / "net.safetensors").card
    assert (card.architecture, card.format, len(card.layers)) == ("squeezenet1_1", "safetensors", 26)


def test_another_number_of_classes_and_of_channels(tmp_path):
    state = squeezenet()
    state["classifier.1.weight"], state["classifier.1.bias"] = torch.randn(7, 512, 1, 1), torch.zeros(7)
    state["features.0.weight"] = torch.randn(64, 1, 3, 3)
    torch.save(state, tmp_path / "net.pth")
    model = open_model(tmp_path / "net.pth")
    assert model.card.architecture == "squeezenet1_1"
    assert model.card.layers[-1].out_channels == 7
    assert (model.card.input.channels, model.card.input.order) == (1, "L")
    assert model(torch.rand(1, 1, 224, 224)).shape == (1, 7)


def test_a_head_of_ones_own_is_said(tmp_path):
    state = {f"backbone.{key}": tensor for key, tensor in squeezenet().items() if "classifier" not in key}
    torch.save({**state, "head.0.weight": torch.randn(9, 512), "head.0.bias": torch.zeros(9)}, tmp_path / "net.pth")
    card = open_model(tmp_path / "net.pth").card
    assert card.architecture == "squeezenet1_1"
    assert any("head.0.weight" in warning for warning in card.warnings)
    assert any("classifier" in warning for warning in card.warnings)


def test_numpy_and_other_plain_objects_beside_the_weights(tmp_path):
    import argparse
    import pathlib

    extra = {"args": argparse.Namespace(lr=0.1), "best": torch.zeros(1).numpy()[0], "where": pathlib.Path("a")}
    torch.save({"state_dict": squeezenet(), **extra}, tmp_path / "net.pth")
    assert open_model(tmp_path / "net.pth").card.architecture == "squeezenet1_1"


def test_a_whole_module_of_a_known_net_opens_without_running_it(tmp_path):
    net = zoo.build("torchvision", "squeezenet1_1")
    net.load_state_dict(squeezenet())
    torch.save(net, tmp_path / "whole.pth")
    assert open_model(tmp_path / "whole.pth").card.architecture == "squeezenet1_1"


class Secret(nn.Module):
    def __init__(self):
        super().__init__()
        self.odd = nn.Conv2d(3, 5, 3)
        self.other = nn.Conv2d(5, 6, 3)

    def forward(self, images):
        return self.other(self.odd(images))


def test_a_whole_module_of_an_unknown_net_is_refused_naming_its_class_and_opened_on_trust(tmp_path):
    torch.save({"model": Secret(), "epoch": 3}, tmp_path / "whole.pth")
    with pytest.raises(ModelError, match=r"Secret.*--trust"):
        open_model(tmp_path / "whole.pth")
    card = open_model(tmp_path / "whole.pth", trust=True).card
    assert [layer.name for layer in card.layers] == ["odd", "other"]
    assert open_model(tmp_path / "whole.pth", **card.options).card == card


def test_unknown_weights_are_listed_and_the_way_out_is_said(tmp_path):
    torch.save({"odd.weight": torch.randn(5, 3, 3, 3), "odd.bias": torch.zeros(5)}, tmp_path / "net.pth")
    with pytest.raises(OnlyWeights, match=r"--architecture.*torch.onnx.export"):
        open_model(tmp_path / "net.pth")
    card = inspect_model(tmp_path / "net.pth")
    assert card.weights_only
    assert [(layer.name, layer.in_channels, layer.out_channels) for layer in card.layers] == [("odd", 3, 5)]


OWN = """
import torch
from torch import nn
class Mine(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.a = nn.Conv2d(3, width, 3)
        self.b = nn.Conv2d(width, 5, 3)
        self.head = nn.Linear(5, 2)
    def forward(self, x):
        return self.head(self.b(self.a(x).relu()).mean((2, 3)))
"""


def test_ones_own_class(tmp_path):
    (tmp_path / "my_net.py").write_text(OWN)
    name = f"{tmp_path}/my_net.py:Mine"
    state = {"a.weight": torch.randn(6, 3, 3, 3), "a.bias": torch.zeros(6)}
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(ModelError, match="--trust"):
        open_model(tmp_path / "net.pth", architecture=name)
    options = {"architecture": name, "architecture_args": {"width": 6}, "trust": True}
    with pytest.raises(ModelError, match=r"missing b\.bias, b\.weight.*--partial"):
        open_model(tmp_path / "net.pth", **options)
    state |= {"b.weight": torch.randn(5, 6, 3, 3), "b.bias": torch.zeros(5)}
    torch.save(state, tmp_path / "net.pth")
    card = open_model(tmp_path / "net.pth", **options).card
    assert [(layer.name, layer.out_channels) for layer in card.layers] == [("a", 6), ("b", 5)]
    assert open_model(tmp_path / "net.pth", **card.options).card == card
    with pytest.raises(ModelError, match=r"takes \(width=4\)"):
        open_model(tmp_path / "net.pth", **{**options, "architecture_args": {"depth": 6}})


class Runs:
    """Unpickling this makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_pickle_that_runs_code_does_not(tmp_path, legacy):
    path = tmp_path / "net.pth"
    torch.save(
        {"state_dict": squeezenet(), "x": Runs(tmp_path / "ran")}, path, _use_new_zipfile_serialization=not legacy
    )
    model = open_model(path)  # its weights are a known net's, and they are all that is read
    assert model.card.architecture == "squeezenet1_1"
    torch.save({"x": Runs(tmp_path / "ran")}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelError):
        open_model(path)
    path.write_bytes(pickle.dumps(Runs(tmp_path / "ran")))
    with pytest.raises(ModelError):
        open_model(path)
    assert not (tmp_path / "ran").exists()


def saved(tmp_path, content):
    torch.save(content, tmp_path / "net.pth")
    return (tmp_path / "net.pth").read_bytes()


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path):
    content = bytearray(saved(tmp_path, squeezenet()))
    at = content.index(squeezenet()["features.0.weight"].numpy().tobytes()) + 40
    content[at] ^= 0x10
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        open_model(tmp_path / "net.pth")


def test_compressed_records_are_refused(tmp_path):
    content = saved(tmp_path, squeezenet())
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(tmp_path / "bomb.pth", "w") as new:
        for record in old.infolist():
            new.writestr(record.filename, old.read(record), zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="compressed"):
        open_model(tmp_path / "bomb.pth")


def test_a_tensor_that_declares_more_than_it_holds_is_refused(tmp_path):
    torch.save({"conv.weight": torch.zeros(1).expand(2**20, 2**20, 1, 1)}, tmp_path / "net.pth")
    assert (tmp_path / "net.pth").stat().st_size < 2000
    with pytest.raises(ModelError, match="larger than what it holds"):
        open_model(tmp_path / "net.pth")


def test_a_safetensors_header_that_declares_two_gibibytes_is_refused(tmp_path):
    header = b'{"w":{"dtype":"F32","shape":[536870912],"data_offsets":[0,2147483648]}}'
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(100))
    with pytest.raises(ModelError):
        open_model(tmp_path / "a.safetensors")


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    state = {"odd.weight": torch.randn(5, 3, 3, 3), "odd.bias": torch.zeros(5), "more.weight": torch.randn(4, 5, 3, 3)}
    torch.save({"state_dict": state, "epoch": 1}, folder / "zip")
    torch.save({"state_dict": state, "epoch": 1}, folder / "legacy", _use_new_zipfile_serialization=False)
    save_file(state, folder / "safetensors")
    return [(folder / name).read_bytes() for name in ("zip", "legacy", "safetensors")]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutated_checkpoint_gives_a_card_or_a_sentence(originals, tmp_path, data):
    content = bytearray(data.draw(st.sampled_from(originals)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "copy", "set"]))
        if kind == "cut":
            del content[at : at + data.draw(st.integers(1, 400))]
        elif kind == "copy":
            content[at:at] = content[at : at + data.draw(st.integers(1, 40))]
        elif kind == "flip":
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        else:
            content[at] = data.draw(st.sampled_from([0, 0x2E, 0x80, 0xFF, 0x28, 0x52]))
        if not content:
            content = bytearray(b"\x80")
    path = tmp_path / "mutated.pth"
    path.write_bytes(content)
    with contextlib.suppress(ModelError):  # and nothing else: no traceback of another kind reaches a person
        assert inspect_model(path).layers


def resnet(depth=18):
    torch.manual_seed(1)
    state = zoo.build("torchvision", f"resnet{depth}").state_dict()
    made = {key: torch.randn_like(value) * 0.1 for key, value in state.items() if value.is_floating_point()}
    return {key: value.abs() + 0.5 if "running_var" in key else value for key, value in made.items()}


def headless(state):
    return {key: tensor for key, tensor in state.items() if not key.startswith("fc.")}


def renamed(state, **names):
    """Keys whose parts are called otherwise."""
    return {".".join(names.get(part, part) for part in key.split(".")): tensor for key, tensor in state.items()}


NUMBERED = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}


def numbered():
    """The body as an nn.Sequential, only the outermost names changed."""
    state = headless(resnet())
    return {f"0.{NUMBERED[key.split('.')[0]]}.{key.split('.', 1)[1]}": tensor for key, tensor in state.items()}


OTHERWISE_NAMED = {
    "another projection and head": lambda: renamed(resnet(), downsample="shortcut", fc="linear"),
    "numbered, with a head of its own": lambda: {**numbered(), "1.2.weight": torch.ones(1024)},
    "one of two encoders": lambda: {
        **{f"module.encoder_q.{key}": tensor for key, tensor in resnet().items()},
        **{f"module.encoder_k.{key}": tensor for key, tensor in resnet().items()},
        "module.queue": torch.zeros(128, 64),
    },
    "an encoder smaller than what follows it": lambda: {
        **{f"encoder.{key}": tensor for key, tensor in headless(resnet()).items()},
        **{f"decoder.{number}.weight": torch.zeros(8, 8, 3, 3) for number in range(150)},
    },
}


@pytest.mark.parametrize("how", OTHERWISE_NAMED)
def test_a_net_under_other_names_is_known(tmp_path, how):
    torch.save({"state_dict": OTHERWISE_NAMED[how]()}, tmp_path / "net.pth")
    model = open_model(tmp_path / "net.pth")
    assert (model.card.architecture, len(model.card.layers)) == ("resnet18", 20)
    for name in ("conv1.weight", "layer2.0.downsample.0.weight", "layer4.1.bn2.running_var"):
        torch.testing.assert_close(model.module.state_dict()[name], resnet()[name])


def test_a_head_under_another_name_is_put_in(tmp_path):
    torch.save(renamed(resnet(), downsample="shortcut", fc="linear"), tmp_path / "net.pth")
    torch.testing.assert_close(open_model(tmp_path / "net.pth").module.fc.weight.data, resnet()["fc.weight"])


def test_what_shares_only_some_shapes_is_not_taken_for_a_known_net(tmp_path):
    state = renamed(resnet(), conv1="first", conv2="second", bn1="norm", bn2="other")
    state["layer3.0.second.weight"] = torch.randn(256, 256, 1, 1)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(OnlyWeights):
        open_model(tmp_path / "net.pth")


@pytest.mark.parametrize("names", [{}, {"downsample": "shortcut", "fc": "linear"}], ids=["known names", "others"])
def test_a_first_convolution_for_small_images_changes_stride_and_pooling(tmp_path, names):
    state = resnet()
    state["conv1.weight"] = torch.randn(64, 3, 3, 3)
    torch.save({"net": renamed(state, **names), "acc": 95.0}, tmp_path / "net.pth")
    model = open_model(tmp_path / "net.pth")
    first = model.card.layers[0]
    assert (first.kernel_size, first.stride, first.padding) == ((3, 3), (1, 1), (1, 1))
    assert (model.card.input.height, model.card.input.width) == (32, 32)
    assert model.card.layers[1].output_size == (32, 32)  # nothing was pooled away
    assert any("3×3 kernel where resnet18's has 7×7" in warning for warning in model.card.warnings)


def test_a_known_net_without_the_weights_of_a_layer_is_refused_unless_asked_for(tmp_path):
    state = resnet()
    del state["layer3.0.conv2.weight"]
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(ModelError, match=r"lacks the weights of layer3\.0\.conv2"):
        open_model(tmp_path / "net.pth")
    assert open_model(tmp_path / "net.pth", partial=True).card.architecture == "resnet18"


def test_weights_that_are_only_used_in_training_may_be_missing(tmp_path):
    net = zoo.build("torchvision", "googlenet")
    state = {key: value for key, value in net.state_dict().items() if not key.startswith("aux")}
    lively = {key: value.abs() + 0.1 if "running_var" in key else value for key, value in state.items()}
    torch.save(lively, tmp_path / "net.pth")
    assert open_model(tmp_path / "net.pth").card.architecture == "googlenet"
