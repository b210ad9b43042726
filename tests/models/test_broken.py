"""Weights that are no numbers: the model opens, and its card says which layer holds them."""

import pytest
import torch
from torch import nn

from analysis.models import zoo
from analysis.models.capture import run_to
from analysis.models.open import open_model
from analysis.models.verify import SAMPLE

NUMBERS = [torch.nan, torch.inf, -torch.inf]


def net() -> nn.Sequential:
    """A net whose later layers are reached from the first by every weight."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5))
    return nn.Sequential(first, nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), head).eval()


def resnet() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    state = zoo.build(zoo.OWN, "cifar_resnet20").state_dict()
    return {name: torch.randn_like(part) * 0.1 if part.dim() > 1 else part for name, part in state.items()}


def broken_warnings(card) -> list[str]:
    return [warning for warning in card.warnings if "NaN or infinite" in warning]


@pytest.mark.parametrize("value", NUMBERS)
def test_the_first_broken_layer_is_named(value, tmp_path):
    """Also where it is none of the few whose gradient is tried, at which the layers behind it are tried as well."""
    state = resnet()
    state["layer2.0.conv1.weight"][0, 0, 0, 0] = value
    state["layer3.1.conv2.weight"][3, 1, 0, 0] = value
    torch.save(state, tmp_path / "net.pth")
    card = open_model(tmp_path / "net.pth").card
    (said,) = broken_warnings(card)
    assert said.startswith("Weights of layer2.0.conv1 and 1 more layer are NaN or infinite")
    assert len(card.verification["gradient checked at"]) == SAMPLE


def test_a_normalisation_or_a_head_is_named_as_well(tmp_path):
    state = resnet()
    (head,) = {name for name, weights in state.items() if name.endswith(".weight") and weights.dim() == 2}
    state["layer1.1.bn2.running_var"][2] = torch.nan
    state[head][0, 0] = torch.inf
    torch.save(state, tmp_path / "net.pth")
    (said,) = broken_warnings(open_model(tmp_path / "net.pth").card)
    assert said.startswith("Weights of layer1.1.bn2 and 1 more layer are")


def test_whole_weights_are_not_warned_of(tmp_path):
    torch.save(resnet(), tmp_path / "net.pth")
    card = open_model(tmp_path / "net.pth").card
    assert not broken_warnings(card)
    assert len(card.verification["gradient checked at"]) == SAMPLE


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("layer", ["0", "4"])
def test_an_onnx_file_is_compared_without_the_broken_numbers(layer, value, tmp_path):
    """onnxruntime makes other numbers of NaN than torch does; a batch, others than its images alone."""
    module = net()
    module.get_submodule(layer).weight.data[4, 0, 0, 0] = value
    path = tmp_path / "net.onnx"
    kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    torch.onnx.export(module, (torch.zeros(1, 3, 32, 32),), path, dynamo=False, opset_version=17, **kept)
    model = open_model(path)
    (said,) = broken_warnings(model.card)
    assert said.startswith(f"Weights of {model.card.layers[0 if layer == '0' else 1].name} are")
    assert model.card.verification["onnxruntime difference"] < 1e-4
    assert not model.card.one_by_one
    there = run_to(model, torch.rand(2, 3, 32, 32), model.card.layers[0 if layer == "0" else 1].name)
    assert not there[:, 4].isfinite().all(), "what was opened still holds what the file does"


def test_torchscript(tmp_path):
    module = net()
    module[4].weight.data[0, 0, 0, 0] = torch.nan
    torch.jit.save(torch.jit.trace(module, torch.rand(1, 3, 32, 32)), tmp_path / "net.pt")
    card = open_model(tmp_path / "net.pt").card
    (said,) = broken_warnings(card)
    assert said.startswith(f"Weights of {card.layers[1].name} are")
    assert not card.one_by_one
