"""What each conv reads, against known answers: hand-built nets, random linear ones, and real models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import Tensor, nn
from torch.nn import functional

from analysis.models.model import Model
from analysis.models.open import open_model
from analysis.models.tap import ConvCall, ConvTap, run_tapped
from analysis.models.wiring import Wiring, wiring_of
from tests.shared import shared_file
from tests.statistics.nets import opened


def wires(wiring: Wiring, reader: str) -> set[tuple[int, str, int, float]]:
    """(input, layer, channel, factor) of each wire that ends in a reader."""
    each = wiring.readers[reader].wires
    columns = zip(each.at, each.source, each.channel, each.scale, strict=True)
    return {(int(at), wiring.sources[source], int(channel), round(float(by), 4)) for at, source, channel, by in columns}


class Branches(nn.Module):
    """Two convs concatenated behind ReLU, pooled, as in a fire module; a sum with a depthwise conv; a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 3, 3, padding=1)
        self.both = nn.Conv2d(5, 4, 1)
        self.norm = nn.BatchNorm2d(4, eps=0)
        self.deep = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.after = nn.Conv2d(4, 2, 1)
        self.head = nn.Linear(2 * 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(torch.cat([functional.relu(self.left(x)), functional.relu_(self.right(x))], 1), 2)
        x = functional.relu(self.norm(self.both(x)))
        x = functional.relu_(x + 2 * self.deep(x))
        return self.head(functional.adaptive_avg_pool2d(self.after(x), 2).flatten(1))


def test_concatenated_channels_keep_their_place() -> None:
    wiring = wiring_of(opened(Branches))
    assert wires(wiring, "both") == {
        (0, "left", 0, 1.0), (1, "left", 1, 1.0), (2, "right", 0, 1.0), (3, "right", 1, 1.0), (4, "right", 2, 1.0),
    }  # fmt: skip


def test_a_normalisation_is_a_factor_and_a_sum_two_wires() -> None:
    model = opened(Branches)
    norm = model.module.norm
    gains = (norm.weight / norm.running_var.sqrt()).tolist()  # type: ignore[operator]
    wiring = wiring_of(model)
    assert wires(wiring, "deep") == {(c, "both", c, round(gains[c], 4)) for c in range(4)}
    assert wires(wiring, "after") == wires(wiring, "deep") | {(c, "deep", c, 2.0) for c in range(4)}


def test_a_linear_head_reads_every_place_of_the_map() -> None:
    wiring = wiring_of(opened(Branches))
    head = wiring.readers["output"]
    assert head.weights.shape == (3, 8)
    assert wires(wiring, "output") == {
        (4 * channel + at, "after", channel, 1.0) for channel in range(2) for at in range(4)
    }


def test_what_a_first_conv_reads_is_the_image_and_nothing_is_lost() -> None:
    wiring = wiring_of(opened(Branches))
    assert wires(wiring, "left") == set()
    assert {name: reader.lost for name, reader in wiring.readers.items()} == dict.fromkeys(wiring.readers, "")


class Weighed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.squeeze = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.read, self.mixed = nn.Conv2d(4, 2, 1, groups=2), nn.Conv2d(2, 2, 1)


class Shuffled(Weighed):
    """SiLU written out, squeeze and excitation, a shuffle of channels."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x * torch.sigmoid(x)
        x = x * torch.sigmoid(self.squeeze(x.mean((2, 3), keepdim=True)))
        return self.read(x.view(1, 2, 2, 16, 16).transpose(1, 2).reshape(1, 4, 16, 16))


class Attention(Weighed):
    """Channels weighed by each other."""

    def forward(self, x: Tensor) -> Tensor:
        flat = self.read(self.stem(x)).flatten(2)
        return self.mixed((torch.softmax(flat @ flat.transpose(1, 2), -1) @ flat).unflatten(2, (16, 16)))


def test_a_gate_is_not_read_and_a_shuffle_is_followed() -> None:
    wiring = wiring_of(opened(Shuffled))
    assert wires(wiring, "read") == {(0, "stem", 0, 1.0), (1, "stem", 2, 1.0), (2, "stem", 1, 1.0), (3, "stem", 3, 1.0)}
    assert wires(wiring, "squeeze") == {(channel, "stem", channel, 1.0) for channel in range(4)}


def test_what_mixes_channels_ends_the_trail_and_says_so() -> None:
    reader = wiring_of(opened(Attention)).readers["mixed"]
    assert not len(reader.wires.at)
    assert "bmm" in reader.lost


STEPS = ("conv", "depthwise", "grouped", "norm", "shuffle", "halve", "scale", "cat", "add", "sub")


class Patchwork(nn.Module):
    """A random net without any non-linearity: each step takes one or two of the tensors there are and makes another."""

    def __init__(self, steps: list[tuple[str, int, int]]) -> None:
        super().__init__()
        self.steps = steps
        self.stem, self.last = nn.Conv2d(3, 4, 3), nn.LazyConv2d(2, 1)
        kinds: dict[str, Callable[[], nn.Module]] = {
            "conv": lambda: nn.LazyConv2d(4, 3, padding=1),
            "norm": nn.LazyBatchNorm2d,
            "depthwise": lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4),
            "grouped": lambda: nn.Conv2d(4, 6, 1, groups=2),
        }
        made = {f"{at}{kind}": kinds[kind]() for at, (kind, _, _) in enumerate(steps) if kind in kinds}
        self.made = nn.ModuleDict(made)

    def forward(self, x: Tensor) -> Tensor:
        there = [self.stem(x)]
        for at, (kind, first, second) in enumerate(self.steps):
            x, y = there[first % len(there)], there[second % len(there)]
            there.append(self._step(f"{at}{kind}", kind, x, y))
        return self.last(torch.cat(there[-3:], 1))

    def _step(self, name: str, kind: str, x: Tensor, y: Tensor) -> Tensor:
        if name in self.made:
            return self.made[name](torch.cat([x] * 4, 1)[:, :4] if kind in ("depthwise", "grouped") else x)
        one_by_one = {
            "shuffle": lambda: x.view(len(x), 2, -1, *x.shape[2:]).transpose(1, 2).reshape(x.shape),
            "halve": lambda: x.chunk(2, 1)[1] if x.shape[1] % 4 == 0 else x,
            "scale": lambda: x * torch.linspace(-1, 2, x.shape[1]).view(-1, 1, 1),
            "cat": lambda: torch.cat([x, y], 1),
            "add": lambda: x + y if x.shape == y.shape else x,
            "sub": lambda: x - y if x.shape == y.shape else x,
        }
        return one_by_one[kind]()


@settings(max_examples=15, deadline=None)
@given(some.lists(some.tuples(some.sampled_from(STEPS), some.integers(0, 9), some.integers(0, 9)), max_size=9))
def test_of_a_linear_net_the_wires_give_each_input_number_by_number(steps: list[tuple[str, int, int]]) -> None:
    def net() -> Patchwork:
        made = Patchwork(steps)
        made(torch.rand(2, 3, 16, 16))
        return made

    model = opened(net)  # type: ignore[arg-type]
    wiring = wiring_of(model)
    for name, got, outputs in calls_of(model):
        each = wiring.readers[name].wires
        made = torch.zeros_like(got)
        for at, source, channel, by in zip(each.at, each.source, each.channel, each.scale, strict=True):
            made[at] += by * outputs[wiring.sources[source]][channel]
        rest = got - made  # what is added to a whole channel: shifts of normalisations
        assert (rest.amax((1, 2)) - rest.amin((1, 2))).max() < 1e-3, name
        assert not wiring.readers[name].lost


def calls_of(model: Model) -> list[tuple[str, Tensor, dict[str, Tensor]]]:
    """(layer, what went in, all layers' outputs until then) of every conv but those that read the image."""
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    outputs: dict[str, Tensor] = {}
    found = []

    def seen(call: ConvCall) -> bool:
        name = model.calls[call.number]
        if outputs:
            found.append((name, call.input[0].double(), dict(outputs)))
        outputs[name] = call.output[0].double().clone()
        return True

    with torch.no_grad():
        run_tapped(ConvTap(seen), lambda: model(image))
    return found


@pytest.mark.parametrize(
    "file", ["squeezenet/squeezenet1_1_imagenet_torchnorm.pth", "cifar-resnet/resnet20-12fca82f.th"]
)
def test_silencing_a_channel_of_a_real_net_moves_what_reads_it_and_nothing_beside(file: str) -> None:
    """The known answer: one channel is changed on its way, and the inputs that follow it are seen to change."""
    model = open_model(shared_file(f"models/{file}"))
    wiring = wiring_of(model)
    layers = [layer.name for layer in model.card.layers]
    spec = model.card.input
    image = torch.rand(1, spec.channels, spec.height, spec.width, generator=torch.Generator().manual_seed(0))
    for source in layers[1:-1:5]:
        channel = wiring.sources.index(source) % 16
        plain, changed = inputs_of(model, image, None), inputs_of(model, image, (source, channel))
        for reader in layers:
            moved = {at for at in range(len(plain[reader])) if not torch.equal(plain[reader][at], changed[reader][at])}
            each = wiring.readers[reader].wires
            direct = set(each.at[(each.source == wiring.sources.index(source)) & (each.channel == channel)].tolist())
            by_others = set(each.at[np.isin(each.source, _behind(wiring, source))].tolist())
            assert moved <= direct | by_others, (source, reader)
            assert direct <= moved, (source, reader)


def inputs_of(model: Model, image: Tensor, change: tuple[str, int] | None) -> dict[str, Tensor]:
    """What goes into every conv, one channel of one layer raised by 100 where that is asked for."""
    found: dict[str, Tensor] = {}

    def seen(call: ConvCall) -> bool:
        name = model.calls[call.number]
        found[name] = call.input[0].clone()
        if change and name == change[0]:
            call.output[:, change[1]] += 100
        return True

    with torch.no_grad():
        run_tapped(ConvTap(seen), lambda: model(image))
    return found


def _behind(wiring: Wiring, source: str) -> list[int]:
    """The layers that a layer feeds, itself or through others."""
    found = {wiring.sources.index(source)}
    for name in wiring.sources:
        if set(wiring.readers[name].wires.source.tolist()) & found:
            found.add(wiring.sources.index(name))
    return sorted(found - {wiring.sources.index(source)})
