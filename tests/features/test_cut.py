"""A cut graph answers as the tap does, and leaves the model as it was."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from analysis.features.cut import cut_at
from analysis.models.capture import run_to
from analysis.models.heads import run_head
from analysis.models.torchvision_import import torchvision
from tests.features.nets import Several, model_of, small_net, spec_of


class Residual(nn.Module):
    """A norm before a sum, a ReLU behind it whose input is read twice, a conv that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.shared, self.last = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.norm(self.stem(images))
        open_ = functional.relu(maps)
        maps = maps + self.shared(open_)
        maps = functional.relu(maps + self.shared(maps))
        return self.last(maps)


class Choosing(nn.Module):
    """Its path depends on what it sees: no one graph says it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images if images.mean() < 1e9 else -images)


def shaken(module: nn.Module) -> nn.Module:
    """With norms as training leaves them."""
    torch.manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3)
            part.running_var.uniform_(0.5, 2)
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.normal_(0, 0.3)
    return module


NETS = {
    "chain": small_net,
    "residual": Residual,
    "resnet": lambda: torchvision.models.resnet18(weights=None),
    "squeezenet": lambda: torchvision.models.squeezenet1_1(weights=None),
    "mobilenet": lambda: torchvision.models.mobilenet_v2(weights=None),
}


@pytest.mark.parametrize("name", NETS)
def test_every_layer_reads_and_pulls_as_through_the_tap(name):
    torch.manual_seed(0)  # where a ReLU's input is nearly zero, one digit decides whether its derivative is
    model = model_of(shaken(NETS[name]()), spec_of(height=64, width=64))
    before = {key: value.clone() for key, value in model.module.state_dict().items()}
    images = torch.rand(2, 3, 64, 64)
    for layer in model.card.layers:
        cut = cut_at(model, layer.name)
        assert cut is not None, layer.name
        maps, pulls = [], []
        for read in (cut, lambda pictures, layer=layer: run_to(model, pictures, layer.name)):
            leaf = images.clone().requires_grad_()
            maps.append(read(leaf))
            pulls += torch.autograd.grad(maps[-1].square().mean(), leaf)
        inner = 1 if min(maps[1].shape[2:]) > 2 else 0
        means = cut.means(images, inner)
        assert means is not None
        inside = maps[1][:, :, inner : maps[1].shape[2] - inner, inner : maps[1].shape[3] - inner]
        for found, wanted in (maps, pulls, (means, inside.mean((2, 3), keepdim=True))):
            assert (found - wanted).abs().max() <= 1e-3 * wanted.abs().max(), layer.name
    after = model.module.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], value) for key, value in before.items())


@pytest.mark.parametrize("name", ["resnet", "squeezenet"])
def test_a_head_reads_and_pulls_as_through_the_tap(name):
    torch.manual_seed(0)  # where a ReLU's input is nearly zero, one digit decides whether its derivative is
    model = model_of(shaken(NETS[name]()), spec_of(height=64, width=64))
    images = torch.rand(2, 3, 64, 64)
    cut = cut_at(model, "output")
    assert cut is not None
    maps, pulls = [], []
    for read in (cut, lambda pictures: run_head(model, pictures, "output")):
        leaf = images.clone().requires_grad_()
        maps.append(read(leaf))
        pulls += torch.autograd.grad(maps[-1].square().mean(), leaf)
    for found, wanted in (maps, pulls):
        assert (found - wanted).abs().max() <= 1e-3 * wanted.abs().max()


def test_one_of_several_heads_is_cut_and_one_behind_a_softmax_is_not():
    model = model_of(Several())
    cut, images = cut_at(model, "output.age"), torch.rand(2, 3, 48, 48)
    assert cut is not None
    assert torch.allclose(cut(images), run_head(model, images, "output.age"), atol=1e-6)
    assert cut_at(model, "output.kind") is None


def test_what_can_not_be_cut_is_left_to_the_tap():
    assert cut_at(model_of(Choosing()), "conv") is None
    traced = torch.jit.trace(small_net().eval(), torch.rand(1, 3, 48, 48))
    model = model_of(traced)
    assert cut_at(model, model.card.layers[1].name) is None
