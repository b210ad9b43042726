"""Small nets whose best pictures are known."""

import math

import torch
from torch import nn

from analysis.features.prior import Prior, prior_without_images
from analysis.models.assemble import Origin, assemble
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model
from analysis.probe.probe import ProbeCard


class Images:
    """A probe of random images."""

    names = tuple(f"{index}.png" for index in range(20))
    labels = None
    card = ProbeCard("f" * 32, "generated", {}, 20)

    def batch(self, indices, spec):
        generator = torch.Generator().manual_seed(0)
        images = torch.rand(20, spec.channels, spec.height, spec.width, generator=generator)
        return images[list(indices)]


def spec_of(channels: int = 3, height: int = 48, width: int = 48) -> InputSpec:
    return InputSpec(
        channels,
        height,
        width,
        (0.5,) * channels,
        (0.25,) * channels,
        order="RGB" if channels == 3 else "planes",
    )


def model_of(module: nn.Module, spec: InputSpec | None = None) -> Model:
    return assemble(module, spec or spec_of(), Origin("toy", sha256="0" * 64))


def plain_prior(model: Model) -> Prior:
    spec = model.card.input
    return prior_without_images(spec.channels, spec.height, spec.width)


def one_filter(kernel: torch.Tensor) -> nn.Module:
    """A net of one convolution with one filter, [C, h, w]."""
    conv = nn.Conv2d(kernel.shape[0], 1, kernel.shape[1:], bias=False)
    conv.weight.data = kernel[None].clone()
    return nn.Sequential(conv)


class OneSize(nn.Module):
    """Takes images of exactly one size: it has a weight for every pixel."""

    def __init__(self, net: nn.Module, height: int = 48, width: int = 48) -> None:
        super().__init__()
        self.net = net
        self.gain = nn.Parameter(torch.ones(height, width))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.net(images * self.gain)
        return answer


def small_net(channels: int = 3, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5, stride=2, padding=2), nn.ReLU(inplace=True), nn.Conv2d(6, 10, 3, padding=1)
    )


class Several(nn.Module):
    """A map, and two heads with names."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.age, self.kind = small_net(), nn.Linear(10, 5), nn.Linear(10, 3)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        maps = self.net(images)
        mean = maps.mean((2, 3))
        return {"maps": maps, "age": self.age(mean), "kind": self.kind(mean).softmax(1)}


def gabor(angle: float, wavelength: float = 6.0, size: int = 15) -> torch.Tensor:
    """[3, size, size]: a grey grating whose waves run along `angle` (degrees, 0 is to the right), without mean."""
    axis = torch.arange(size) - (size - 1) / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    along = x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle))
    wave = torch.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2)) * torch.sin(2 * math.pi * along / wavelength)
    return (wave - wave.mean()).expand(3, size, size) / wave.abs().sum()


def surround(scale: float, size: int = 25) -> torch.Tensor:
    """[3, size, size]: the difference of two Gaussians, of `scale` and 1.6 × `scale` px, without mean."""
    axis = torch.arange(size) - (size - 1) / 2
    square = axis[:, None] ** 2 + axis[None, :] ** 2
    inner = torch.exp(-square / (2 * scale**2))
    outer = torch.exp(-square / (2 * (1.6 * scale) ** 2))
    return (inner / inner.sum() - outer / outer.sum()).expand(3, size, size)
