"""Whose weights are these: every known net is found from keys and shapes, whatever its head."""

import json
import lzma
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from analysis.models import zoo
from analysis.models.architectures import ENOUGH, find, index, recognise
from analysis.models.build_index import describe
from analysis.models.errors import ModelError, OnlyWeights
from analysis.models.fingerprint import strip_prefixes, weights_of
from analysis.models.open import inspect_model, open_model
from analysis.models.torchvision_import import torchvision


def shapes_of(net, classes=None):
    """A net's tensors, its head made for another number of classes."""
    shapes = {key: tuple(int(size) for size in shape.split("x") if size) for key, shape in net.shapes.items()}
    if classes:
        shapes.update({key: (classes, *shapes[key][1:]) for key in net.head})
    return shapes


def test_the_index_holds_both_zoos():
    count = {name: sum(net.zoo == name for net in index()) for name in (zoo.TORCHVISION, zoo.TIMM, zoo.OWN)}
    assert count[zoo.TORCHVISION] >= 100
    assert count[zoo.TIMM] >= 1300
    assert count[zoo.OWN] == 10
    assert {net.name for net in index() if net.zoo == zoo.TORCHVISION} >= set(
        torchvision.models.list_models(module=torchvision.models)
    )


def test_every_torchvision_classifier_is_found_first_whatever_its_head():
    for net in index():
        if net.zoo == zoo.TORCHVISION and net.name in torchvision.models.list_models(module=torchvision.models):
            assert recognise(shapes_of(net, classes=7))[0].net == net


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_net_is_among_its_own_matches(data):
    net = data.draw(st.sampled_from(index()))
    matches = recognise(shapes_of(net, classes=data.draw(st.integers(1, 30))))
    assert net in [match.net for match in matches]


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_index_is_what_the_zoo_builds(data):
    net = data.draw(st.sampled_from([net for net in index() if net.zoo != zoo.TIMM]))
    built = weights_of(zoo.outline(net.zoo, net.name).state_dict())
    assert built == shapes_of(net)


def test_the_net_of_most_layers_is_found_first():
    assert recognise(shapes_of(find("densenet201", {}).net))[0].net.name == "densenet201"


def test_strangers_are_not_recognised():
    assert recognise({"conv1.weight": (64, 3, 7, 7), "conv1.bias": (64,), "fc.weight": (10, 64)}) == []


def test_a_file_with_most_tensors_missing_is_not_recognised_and_with_few_it_is():
    net = find("resnet50", {}).net
    shapes = shapes_of(net)
    few = {key: shape for key, shape in shapes.items() if not key.startswith("layer4.2")}
    assert recognise(few)[0].net.name == "resnet50"
    assert ENOUGH < recognise(few)[0].score < 1
    assert recognise({key: shape for key, shape in shapes.items() if key.startswith("layer1")}) == []


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ModelError, match="resnet50"):
        find("resnet5O", {})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["module.", "_orig_mod.", "model.", "net.", "backbone."]), max_size=4))
def test_any_stack_of_prefixes_comes_off(prefixes):
    stack = "".join(prefixes)
    states = strip_prefixes({f"{stack}{key}": 0 for key in ("conv1.weight", "layer1.0.bias", "fc.weight")})
    assert len(states) == len(prefixes) + 1
    state, taken = states[-1]
    assert (set(state), taken) == ({"conv1.weight", "layer1.0.bias", "fc.weight"}, stack)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fasterrcnn_mobilenet_v3_large_320_fpn", "deeplabv3_mobilenet_v3_large"])
def test_nets_with_a_backbone_of_their_own(name, tmp_path):
    state = {f"module.{key}": value for key, value in zoo.build(zoo.TORCHVISION, name).state_dict().items()}
    torch.save(state, tmp_path / "net.pth")
    assert open_model(tmp_path / "net.pth").card.architecture == name


def test_a_video_net_is_listed_and_said_to_take_no_images(tmp_path):
    torch.save(zoo.build(zoo.TORCHVISION, "r3d_18").state_dict(), tmp_path / "net.pth")
    card = inspect_model(tmp_path / "net.pth")
    assert card.weights_only
    assert {layer.kind for layer in card.layers} == {"Conv3d"}
    assert "takes no images" in card.warnings[0]


@pytest.mark.parametrize("name", ["cifar_resnet32", "cifar_resnet44_b", "cifar_resnet110"])
def test_cifar_resnets_with_either_shortcut(name, tmp_path):
    depth = int("".join(letter for letter in name if letter.isdigit()))
    torch.save(zoo.build(zoo.OWN, name).state_dict(), tmp_path / "net.pth")
    card = open_model(tmp_path / "net.pth").card
    assert card.architecture == name
    assert len(card.layers) == depth - 1 + (2 if name.endswith("_b") else 0)


def test_twins_that_compute_differently_are_offered_and_the_choice_is_kept(tmp_path):
    state = {
        key: torch.randn_like(value.float()).abs() * 0.1
        for key, value in zoo.build(zoo.TIMM, "tf_efficientnet_lite0").state_dict().items()
    }
    torch.save(state, tmp_path / "weights.pth")
    card = open_model(tmp_path / "weights.pth", input_spec={"height": 64, "width": 64}).card
    assert card.architecture == "efficientnet_lite0"
    assert card.alternatives == ("tf_efficientnet_lite0",)
    assert any("tf_efficientnet_lite0" in warning for warning in card.warnings)
    other = open_model(tmp_path / "weights.pth", architecture="tf_efficientnet_lite0").card
    assert other.architecture == "tf_efficientnet_lite0"
    assert open_model(tmp_path / "weights.pth", **other.options).card == other
    torch.save(state, tmp_path / "tf_efficientnet_lite0-12ab.pth")
    assert open_model(tmp_path / "tf_efficientnet_lite0-12ab.pth").card.architecture == "tf_efficientnet_lite0"


def test_twins_that_compute_the_same_are_chosen_in_silence(tmp_path):
    torch.save(zoo.build(zoo.TORCHVISION, "resnet18").state_dict(), tmp_path / "weights.pth")
    card = open_model(tmp_path / "weights.pth").card
    assert (card.architecture, card.alternatives, card.warnings) == ("resnet18", (), ())


def test_weights_that_do_not_fit_the_named_net_are_refused(tmp_path):
    torch.save(zoo.build(zoo.TORCHVISION, "resnet18").state_dict(), tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="do not fit resnet50"):
        open_model(tmp_path / "weights.pth", architecture="resnet50")


def residual_nets():
    """Residual nets of no zoo: other depths, widths and groups than anybody's."""
    from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

    return {
        "basic": ResNet(BasicBlock, [1, 2, 1, 3], num_classes=7),
        "bottleneck": ResNet(Bottleneck, [1, 1, 2, 1], groups=8, width_per_group=4, num_classes=5),
    }


@pytest.mark.parametrize("name", ["basic", "bottleneck"])
def test_a_residual_net_of_any_depth_is_rebuilt_from_its_names(name, tmp_path):
    torch.manual_seed(0)
    net = residual_nets()[name].eval()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.1, 0.1)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    torch.save({"state_dict": {f"module.{key}": value for key, value in net.state_dict().items()}}, tmp_path / "a.pth")
    model = open_model(tmp_path / "a.pth")
    images = torch.rand(2, 3, 96, 96)
    torch.testing.assert_close(model.module(images), net(images))
    assert "by rule" in model.card.evidence
    assert any("may differ from yours" in warning for warning in model.card.warnings)


def test_a_residual_net_with_something_of_its_own_is_not_rebuilt(tmp_path):
    state = residual_nets()["basic"].state_dict()
    state["layer2.0.attention.weight"] = torch.rand(8, 128)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(OnlyWeights):
        open_model(tmp_path / "net.pth")


@pytest.mark.parametrize("name", ["torchvision/shufflenet_v2_x0_5", "strata/cifar_resnet32_b", "timm/test_resnet"])
def test_the_index_holds_what_its_builder_writes_today(name):
    described = describe(tuple(name.split("/")))
    entry = next(net for net in index() if f"{net.zoo}/{net.name}" == name)
    assert described == {"zoo": entry.zoo, "name": entry.name, "head": sorted(entry.head), "shapes": entry.shapes}


def test_the_builder_writes_an_index_from_nothing(tmp_path):
    made = tmp_path / "index.json.xz"
    command = [sys.executable, "-m", "analysis.models.build_index", "--zoo", "strata", "--out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    with lzma.open(made) as file:
        nets = json.load(file)["nets"]
    known = {net.name: net.shapes for net in index() if net.zoo == zoo.OWN}
    assert {net["name"]: net["shapes"] for net in nets} == known
