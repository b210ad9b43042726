"""What capture promises: the conv's own output, stopped there, gradient kept, whatever follows."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from analysis.errors import StrataError
from analysis.models.assemble import Origin, assemble
from analysis.models.capture import read, run_to, visit
from analysis.models.input_spec import InputSpec


class InPlace(nn.Module):
    """A module conv and a functional one, each followed by an in-place ReLU, the first used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.shared = nn.Conv2d(4, 4, 3, padding=1)
        self.kernel = nn.Parameter(torch.randn(5, 4, 1, 1))
        self.ran_to_the_end = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = F.relu_(self.stem(images))
        maps = F.relu_(self.shared(F.relu_(self.shared(maps))))
        maps = F.conv2d(maps, self.kernel)
        self.ran_to_the_end = True
        return maps


SPEC = InputSpec(height=16, width=12)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return assemble(InPlace(), SPEC, Origin("in-place"))


def test_lists_functional_and_shared_convolutions(model):
    assert [layer.name for layer in model.card.layers] == ["stem", "shared", "kernel"]
    assert [layer.sites for layer in model.card.layers] == [1, 2, 1]
    assert model.calls == ("stem", "shared", "shared", "kernel")


def test_run_to_gives_the_output_before_an_in_place_relu(model):
    images = torch.rand(2, 3, 16, 12)
    expected = F.conv2d(images, model.module.stem.weight, model.module.stem.bias, padding=1)
    found = run_to(model, images, "stem")
    assert torch.equal(found, expected)
    assert found.min() < 0


def test_run_to_stops_at_the_layer(model):
    model.module.ran_to_the_end = False
    run_to(model, torch.rand(1, 3, 16, 12), "shared")
    assert not model.module.ran_to_the_end


@pytest.mark.parametrize("layer", ["stem", "shared", "kernel"])
def test_gradient_to_the_image_is_the_plain_one(model, layer):
    images = torch.rand(2, 3, 16, 12, requires_grad=True)
    (found,) = torch.autograd.grad(run_to(model, images, layer).square().sum(), images)
    module = model.module
    maps = F.conv2d(images, module.stem.weight, module.stem.bias, padding=1)
    if layer != "stem":
        maps = module.shared(maps.relu())
    if layer == "kernel":
        maps = F.conv2d(module.shared(maps.relu()).relu(), module.kernel)
    (expected,) = torch.autograd.grad(maps.square().sum(), images)
    torch.testing.assert_close(found, expected)


def test_read_gives_one_tensor_a_site_safe_from_in_place_operators(model):
    images = torch.rand(3, 3, 16, 12)
    outputs = read(model, images, ["shared", "stem"])
    module = model.module
    stem = F.conv2d(images, module.stem.weight, module.stem.bias, padding=1)
    first = module.shared(stem.relu())
    assert torch.equal(outputs["stem"][0], stem)
    torch.testing.assert_close(outputs["shared"][0], first)
    torch.testing.assert_close(outputs["shared"][1], module.shared(first.relu()))
    assert not outputs["stem"][0].requires_grad


def test_visit_stops_after_the_last_wanted_layer(model):
    model.module.ran_to_the_end = False
    seen = []
    visit(model, torch.rand(1, 3, 16, 12), ["shared"], lambda layer, site, output: seen.append((layer, site)))
    assert seen == [("shared", 0), ("shared", 1)]
    assert not model.module.ran_to_the_end


def test_works_inside_inference_mode(model):
    with torch.inference_mode():
        assert run_to(model, torch.rand(1, 3, 16, 12), "stem").shape == (1, 4, 16, 12)


def test_an_unknown_layer_is_named(model):
    with pytest.raises(StrataError, match="no layer “nope”"):
        run_to(model, torch.rand(1, 3, 16, 12), "nope")


def test_two_captures_do_not_see_each_other(model):
    """A capture inside a visitor of another one: each sees its own pass."""
    inner = []
    visit(
        model,
        torch.rand(1, 3, 16, 12),
        ["stem"],
        lambda layer, site, output: inner.append(run_to(model, torch.zeros(1, 3, 16, 12), "shared")),
    )
    assert len(inner) == 1


@pytest.mark.parametrize("how", ["script", "trace"])
def test_torchscript_is_read_like_modules(how):
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3)).eval()
    scripted = torch.jit.script(net) if how == "script" else torch.jit.trace(net, torch.rand(1, 3, 16, 12))
    model = assemble(scripted, SPEC, Origin("scripted"))
    assert [layer.name for layer in model.card.layers] == ["0", "3"]
    for _ in range(4):  # cold, profiled, optimised
        images = torch.rand(2, 3, 16, 12, requires_grad=True)
        found = run_to(model, images, "0")
        assert torch.equal(found, net[0](images))
        (gradient,) = torch.autograd.grad(run_to(model, images, "3").sum(), images)
        assert gradient.abs().sum() > 0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2), st.integers(1, 2))
def test_layer_facts_follow_the_convolution(kernel, stride, padding, dilation, groups):
    net = nn.Conv2d(2 * groups, 3 * groups, kernel, stride, padding, dilation, groups)
    card = assemble(net, InputSpec(channels=2 * groups, height=16, width=12, mean=(0.0,), std=(1.0,)), Origin("c")).card
    layer = card.layers[0]
    assert (layer.in_channels, layer.out_channels, layer.groups) == (2 * groups, 3 * groups, groups)
    assert layer.kernel_size == (kernel, kernel)
    assert (layer.stride, layer.padding, layer.dilation) == ((stride,) * 2, (padding,) * 2, (dilation,) * 2)
    assert layer.parameters == sum(parameter.numel() for parameter in net.parameters())
    assert layer.receptive_field == (dilation * (kernel - 1) + 1,) * 2
    assert layer.jump == (stride, stride)
    assert layer.offset == (dilation * (kernel - 1) / 2 - padding,) * 2
