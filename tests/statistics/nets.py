"""Three small nets that between them do what makes measuring hard."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from analysis.models.assemble import Origin, assemble
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model


class InPlace(nn.Module):
    """ReLUs in place, one of them called functionally, one module called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 9, 3, stride=2)
        self.third = nn.Conv2d(9, 5, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.first(x))
        x = self.relu(self.second(x))
        x = self.third(x)
        functional.relu_(x)
        return x.mean((2, 3))


class Residual(nn.Module):
    """Batch normalisation, a residual sum, grouped and dilated convolutions, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 5, stride=2, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.deep = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4, bias=False)
        self.deep_norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.stem(x)))
        x = functional.relu(x + self.deep_norm(self.deep(x)))
        return self.head(x.mean((2, 3)))


class Mixed(nn.Module):
    """SiLU, a transposed convolution, a layer that is called twice, an added constant."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 3, 2, stride=2)
        self.shift = nn.Parameter(torch.linspace(-1, 1, 3).view(3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.silu(self.first(x))
        x = functional.relu(self.twice(x))
        x = functional.max_pool2d(x, 2)
        x = functional.relu(self.twice(x))
        return functional.relu(self.up(x) + self.shift)


SPEC = InputSpec(3, 16, 16, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3), crop=1.0)


def opened(kind: type[nn.Module], spec: InputSpec = SPEC) -> Model:
    """A net with seeded weights; batch normalisations with statistics that are not 0 and 1."""
    torch.manual_seed(0)
    net = kind()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.bias):
                tensor.data.normal_(0, 0.3)
            for tensor in (module.running_var, module.weight):
                tensor.data.uniform_(0.2, 1.5)
    return assemble(net, spec, Origin(kind.__name__, sha256="0" * 64))
