"""Conv counts, channel totals and receptive fields of known nets, and receptive fields against the gradient itself."""

import math

import pytest
import torch
from torch import nn

from analysis.models.assemble import Origin, assemble
from analysis.models.capture import run_to
from analysis.models.input_spec import InputSpec
from analysis.models.torchvision_import import torchvision
from analysis.models.trace import trace

COUNTS = {
    "alexnet": (5, 1152),
    "vgg16_bn": (13, 4224),
    "resnet18": (20, 4800),
    "resnet34": (36, 8512),
    "resnet50": (53, 26560),
    "resnet101": (104, 52672),
    "mobilenet_v2": (52, 17056),
    "densenet121": (120, 10240),
    "efficientnet_b0": (81, 30348),
    "convnext_tiny": (22, 8064),
}
FIELDS = {
    "vgg16": {"features.28": 196},  # 212 after the pool that follows it
    "vgg11": {"features.18": 134},  # 150 likewise
    "alexnet": {"features.10": 163},  # 195 likewise
    "mobilenet_v2": {"features.18.0": 491},
    "resnet18": {"layer1.1.conv2": 43, "layer2.1.conv2": 99, "layer3.1.conv2": 211, "layer4.1.conv2": 435},
    "resnet34": {"layer1.2.conv2": 59, "layer2.3.conv2": 179, "layer3.5.conv2": 547, "layer4.2.conv2": 899},
    "resnet50": {"layer1.2.conv3": 35, "layer2.3.conv3": 91, "layer3.5.conv3": 267, "layer4.2.conv3": 427},
}


def layers_of(name):
    return trace(torchvision.models.get_model(name, weights=None).eval(), torch.rand(1, 3, 224, 224)).layers


@pytest.mark.parametrize("name", COUNTS)
def test_conv_counts_and_channel_totals(name):
    layers = layers_of(name)
    assert (len(layers), sum(layer.out_channels for layer in layers)) == COUNTS[name]


@pytest.mark.parametrize("name", FIELDS)
def test_known_receptive_fields(name):
    fields = {layer.name: layer.receptive_field for layer in layers_of(name)}
    assert {layer: fields[layer] for layer in FIELDS[name]} == {
        layer: (size, size) for layer, size in FIELDS[name].items()
    }


class SpaceToDepth(nn.Module):
    """Every second pixel to a channel of its own, as YOLOX does in front of its first conv."""

    def forward(self, x):
        return torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)


class Shuffle(nn.Module):
    def forward(self, x):
        batch, channels, height, width = x.shape
        return x.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(x.shape)


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.path = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.path(x)


class ChannelsLast(nn.Module):
    """A linear layer over channels, between two permutations, as ConvNeXt has."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(4, 4)

    def forward(self, x):
        return self.mix(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


CHAINS = {
    "strided": [nn.Conv2d(3, 4, 5, 2, 1), nn.Conv2d(4, 4, 3, 3, 2)],
    "dilated": [nn.Conv2d(3, 4, 3, 1, 2, dilation=2), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, (1, 3), dilation=(1, 3))],
    "pooled": [nn.Conv2d(3, 4, 3), nn.AvgPool2d(2), nn.Conv2d(4, 4, 3), nn.MaxPool2d(2, ceil_mode=True)],
    "padded": [nn.ReflectionPad2d((1, 2, 3, 0)), nn.Conv2d(3, 4, 3, 2), nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(4, 4, 2)],
    "residual": [nn.Conv2d(3, 4, 3, 2), Residual(nn.Conv2d(4, 4, 3, 1, 1), nn.Conv2d(4, 4, 3, 1, 1))],
    "to depth": [SpaceToDepth(), nn.Conv2d(12, 4, 3)],
    "shuffled": [nn.Conv2d(3, 4, 3), Shuffle(), nn.PixelUnshuffle(2), nn.Conv2d(16, 4, 3)],
    "channels last": [nn.Conv2d(3, 4, 4, 4), ChannelsLast(), nn.Conv2d(4, 4, 3)],
    "nearest": [nn.Conv2d(3, 4, 3, 2), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3)],
    "transposed": [nn.Conv2d(3, 4, 3, 2), nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.Conv2d(4, 4, 3)],
}
NOT_EXACT = {"nearest", "transposed"}
"""Neighbouring outputs of these see windows of unlike size: what is listed holds each of them."""


def support(net, height, width, y, x):
    """(top, left, bottom, right) of the input px that the output at (y, x) of `net` really depends on."""
    for parameter in net.parameters():
        parameter.data.fill_(1.0)
    images = torch.rand(1, 3, height, width, requires_grad=True)
    output = net(images)
    gradient = torch.autograd.grad(output[0, :, y, x].sum(), images)[0].abs().sum((0, 1))
    rows, columns = gradient.sum(1).nonzero().flatten(), gradient.sum(0).nonzero().flatten()
    return rows[0].item(), columns[0].item(), rows[-1].item(), columns[-1].item()


def without_competition(layers):
    """Max pooling hides what lost: for the gradient's support, average over the same windows instead."""
    return [
        nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding) if isinstance(layer, nn.MaxPool2d) else layer
        for layer in layers
    ]


@pytest.mark.parametrize("name", CHAINS)
def test_receptive_field_is_the_support_of_the_gradient(name):
    net = nn.Sequential(*without_competition(CHAINS[name]), nn.Conv2d(4, 4, 1))
    height, width = 44, 56
    layer = trace(net.eval(), torch.rand(1, 3, height, width)).layers[-1]
    y, x = layer.output_size[0] // 2, layer.output_size[1] // 2
    found = support(net, height, width, y, x)
    centre = [offset + at * jump for offset, jump, at in zip(layer.offset, layer.jump, (y, x), strict=True)]
    low = [middle - (size - 1) / 2 for middle, size in zip(centre, layer.receptive_field, strict=True)]
    high = [middle + (size - 1) / 2 for middle, size in zip(centre, layer.receptive_field, strict=True)]
    if name in NOT_EXACT:
        assert all(math.ceil(first - 0.5) <= at for first, at in zip(low, found[:2], strict=True))
        assert all(math.floor(last + 0.5) >= at for last, at in zip(high, found[2:], strict=True))
        assert all(
            size <= last - first + 4 for size, first, last in zip(layer.receptive_field, found, found[2:], strict=False)
        )
    else:
        assert (*low, *high) == found


def test_a_gate_over_channels_does_not_make_everything_see_everything():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3)
            self.gate = nn.Conv2d(4, 4, 1)
            self.last = nn.Conv2d(4, 4, 3)

        def forward(self, x):
            x = self.first(x)
            return self.last(x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid())

    layers = {layer.name: layer for layer in trace(Gated().eval(), torch.rand(1, 3, 20, 20)).layers}
    assert layers["gate"].receptive_field == (20, 20)
    assert layers["last"].receptive_field == (5, 5)


def test_one_and_three_dimensional_convolutions_are_listed_without_a_receptive_field():
    class Sound(nn.Module):
        def __init__(self):
            super().__init__()
            self.line = nn.Conv1d(3, 4, 3)
            self.block = nn.ConvTranspose3d(4, 2, 3)

        def forward(self, x):
            return self.block(self.line(x.flatten(2))[..., None, None])

    layers = trace(Sound().eval(), torch.rand(1, 3, 4, 4)).layers
    assert [(layer.kind, layer.in_channels, layer.out_channels) for layer in layers] == [
        ("Conv1d", 3, 4),
        ("ConvTranspose3d", 4, 2),
    ]
    assert all(layer.receptive_field is None for layer in layers)


def test_a_computed_weight_takes_the_name_of_its_parameter():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            weight = (self.weight - self.weight.mean()) / self.weight.std()
            return nn.functional.conv2d(x, weight, self.bias)

    net = nn.Sequential(Standardised(3, 4, 3), Standardised(4, 4, 3))
    model = assemble(net, InputSpec(height=12, width=12), Origin("standardised"))
    assert [layer.name for layer in model.card.layers] == ["0", "1"]
    assert run_to(model, torch.rand(1, 3, 12, 12), "1").shape == (1, 4, 8, 8)


def test_a_norm_over_channels_keeps_the_places():
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3)
            self.last = nn.Conv2d(4, 4, 3)

        def forward(self, x):
            x = self.first(x)
            return self.last(x / torch.linalg.vector_norm(x, 2.0, 1, keepdim=True))

    assert trace(Normed().eval(), torch.rand(1, 3, 20, 20)).layers[-1].receptive_field == (5, 5)
