"""A layer is read, and pulls at a picture, at its conv, behind its norm and behind its non-linearity."""

import pytest
import torch
from onnx import helper
from torch import nn
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features.parameters import Parameters
from analysis.features.target import target_of
from analysis.models.open import open_model
from tests.features.nets import model_of, small_net
from tests.models.graphs import save

SITES = ("conv", "norm", "activation")

NON_LINEARITIES = {
    "ReLU": nn.ReLU(),
    "ReLU in place": nn.ReLU(inplace=True),
    "ReLU6": nn.ReLU6(),
    "ReLU6 in place": nn.ReLU6(inplace=True),
    "leaky": nn.LeakyReLU(inplace=True),
    "SiLU": nn.SiLU(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
}


class ByFunction(nn.Module):
    """Its ReLU is no module."""

    def __init__(self, conv: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.conv, self.norm, self.last = conv, norm, nn.Conv2d(6, 4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.last(functional.relu(self.norm(self.conv(images))))


def conv_and_norm() -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
    norm.running_mean.normal_()
    norm.bias.data.normal_()
    return conv.eval(), norm.eval()


def check_sites(model, layer: str, conv: nn.Module, norm: nn.Module, act: nn.Module) -> None:
    """That each site's map and its gradient to the picture are those of the plain net."""
    sites = (conv, nn.Sequential(conv, norm), nn.Sequential(conv, norm, act))
    images = torch.rand(2, 3, 48, 48)
    for site, plain in zip(SITES, sites, strict=True):
        target = target_of(model, layer, Parameters(site=site))
        read, wanted = images.clone().requires_grad_(), images.clone().requires_grad_()
        maps, plain_maps = target.read(read), plain(model.card.input.prepare(wanted))
        assert torch.allclose(maps, plain_maps, atol=1e-5), site
        (pull,), (plain_pull,) = (
            torch.autograd.grad(found.square().sum(), leaf) for found, leaf in ((maps, read), (plain_maps, wanted))
        )
        assert torch.allclose(pull, plain_pull, atol=1e-3), site


@pytest.mark.parametrize("name", NON_LINEARITIES)
def test_a_layer_is_read_and_pulls_at_each_of_its_sites(name):
    (conv, norm), act = conv_and_norm(), NON_LINEARITIES[name]
    check_sites(model_of(nn.Sequential(conv, norm, act, nn.MaxPool2d(2), nn.Conv2d(6, 4, 3))), "0", conv, norm, act)


def test_a_non_linearity_by_function_is_a_site():
    conv, norm = conv_and_norm()
    check_sites(model_of(ByFunction(conv, norm)), "conv", conv, norm, nn.ReLU())


@pytest.mark.parametrize("kind", ["script", "trace", "export", "onnx"])
def test_sites_of_nets_that_come_as_graphs(kind, tmp_path):
    conv, norm = conv_and_norm()
    net, example, path = ByFunction(conv, norm).eval(), torch.rand(2, 3, 48, 48), tmp_path / "net"
    if kind == "onnx":
        ends = [helper.make_node("Relu", ["b"], ["r"]), helper.make_node("Conv", ["r", "last.weight"], ["z"])]
        batch_norm = helper.make_node("BatchNormalization", ["a", "g", "o", "m", "v"], ["b"])
        first = helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["a"], pads=[1] * 4)
        parts = {"g": norm.weight, "o": norm.bias, "m": norm.running_mean, "v": norm.running_var}
        parts |= {"conv.weight": conv.weight, "conv.bias": conv.bias, "last.weight": net.last.weight}
        weights = {name: value.detach().numpy() for name, value in parts.items()}
        save(path, [first, batch_norm, *ends], weights, shape=("n", 3, 48, 48))
    elif kind == "export":
        torch.export.save(torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim("n")},)), path)
    else:
        torch.jit.save(torch.jit.script(net) if kind == "script" else torch.jit.trace(net, example), path)
    model = open_model(path, input_spec={"height": 48, "width": 48})
    check_sites(model, model.card.layers[0].name, conv, norm, nn.ReLU())


def test_after_a_block_the_non_linearity_is_that_of_the_sum():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return functional.relu(self.norm(self.first(images)) + images)

    model = model_of(Block())
    images = torch.rand(1, 3, 48, 48)
    found = target_of(model, "first", Parameters(site="activation")).read(images)
    assert torch.allclose(found, model(images), atol=1e-5)


def test_a_site_that_a_layer_has_not_says_so():
    model = model_of(small_net())
    with pytest.raises(StrataError, match="not followed by a normalisation"):
        target_of(model, "2", Parameters(site="norm")).read(torch.rand(1, 3, 48, 48))
