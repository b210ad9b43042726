"""Whether pictures mean what they say, on the two CIFAR ResNets: does another net name them, does their own layer?

    python -m benchmarks.recognition [--seeds 8]

Needs the shared files models/cifar-resnet and images/cifar-10-2000.tar (set STRATA_SHARED to their folder).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch.nn import functional

from analysis.features.parameters import Parameters
from analysis.features.pooling import pooled
from analysis.features.render import render
from analysis.features.target import target_of
from analysis.models.open import open_model
from analysis.probe.open import open_probe
from analysis.unit import HEAD
from benchmarks.report import table, write_section
from benchmarks.setting import SQUEEZENET, Setting, open_setting
from tests.shared import SHARED

NETS = {
    "ResNet-20": SHARED / "models/cifar-resnet/resnet20-12fca82f.th",
    "ResNet-56": SHARED / "models/cifar-resnet/resnet56-4bfd9763.th",
}
CIFAR = SHARED / "images/cifar-10-2000.tar"
SMALL_LAYERS = ("layer1.2.conv2", "layer2.2.conv2", "layer3.2.conv2")
LARGE_LAYERS = ("features.3.expand3x3", "features.7.expand3x3", "features.12.expand3x3")


def twice(pictures: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(pictures, scale_factor=2, mode="bilinear", antialias=True)


def named(setting: Setting, judge: Path, seeds: int) -> list[str]:
    """How many class pictures of a model another one names: as they are; enlarged twice, as a person keeps them, and
    brought back to its size by the model's own preprocessing; shown enlarged, at a size it was not trained for."""
    other = open_model(judge)
    right = torch.zeros(3)
    for seed in range(seeds):
        pictures = render(
            setting.model, HEAD, range(10), setting.prior, Parameters(seed=seed), baseline=setting.baselines[HEAD]
        ).pictures
        back = functional.interpolate(twice(pictures), pictures.shape[-2:], mode="bilinear", antialias=True)
        for index, seen in enumerate((pictures, back, twice(pictures))):
            right[index] += (other(seen).argmax(1) == torch.arange(10)).sum()
    return [f"{float(share):.1%}" for share in right / (10 * seeds)]


def ceiling(judge: Path) -> list[str]:
    """How many of 1,000 real test images a model names, shown in the same three ways."""
    model, probe = open_model(judge), open_probe(str(CIFAR), count=1000)
    assert probe.labels is not None
    images = probe.batch(range(probe.card.count), model.card.input)
    back = functional.interpolate(twice(images), images.shape[-2:], mode="bilinear", antialias=True)
    shares = []
    for seen in (images, back, twice(images)):
        with torch.no_grad():
            answers = torch.cat([model(part).argmax(1) for part in seen.split(50)])
        shares.append(float((answers == torch.from_numpy(probe.labels)).float().mean()))
    return [f"{share:.1%}" for share in shares]


def own(setting: Setting, layer: str, count: int) -> list[str]:
    """Of up to `count` evenly spaced live channels: whose own picture excites them most of all channels of the layer,
    in deviations over real images; and whose picture beats their best real image."""
    model, baseline = setting.model, setting.baselines[layer]
    live = torch.nonzero(baseline.best > baseline.mean).flatten().tolist()
    channels = live[:: max(1, len(live) // count)][:count]
    made = render(model, layer, channels, setting.prior, Parameters(), baseline=baseline)
    target = target_of(model, layer, Parameters())
    with torch.no_grad():
        values = torch.cat([pooled(target.maps(part), target.rectified) for part in made.pictures.split(8)])
    wanted, rows = torch.tensor(channels), torch.arange(len(channels))
    leads = baseline.standard(values).argmax(1) == wanted
    beats = values[rows, wanted] > baseline.best[wanted]
    return [f"{len(channels)} of {target.units}", f"{leads.float().mean():.0%}", f"{beats.float().mean():.0%}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--channels", type=int, default=64, help="channels a layer of SqueezeNet")
    wanted = parser.parse_args()
    if not CIFAR.exists():
        raise SystemExit("The CIFAR ResNets and images are not here. Set STRATA_SHARED to the folder that holds them.")
    settings = {name: open_setting(file, str(CIFAR), count=1000) for name, file in NETS.items()}
    first, second = NETS
    classes = [
        [f"{maker}, named by {judge}", *named(settings[maker], NETS[judge], wanted.seeds)]
        for maker, judge in ((first, second), (second, first))
    ]
    classes += [[f"real images, named by {judge}", *ceiling(NETS[judge])] for judge in (second, first)]
    print(table([""] * 4, classes), flush=True)
    layers = [[f"{first} `{layer}`", *own(settings[first], layer, 64)] for layer in SMALL_LAYERS]
    if SQUEEZENET.exists():
        large = open_setting(SQUEEZENET, None)
        layers += [[f"SqueezeNet `{layer}`", *own(large, layer, wanted.channels)] for layer in LARGE_LAYERS]
    body = [
        "## Whether pictures mean what they say",
        f"`python -m benchmarks.recognition`: default parameters, {wanted.seeds} seeds a class.",
        table(
            ["class pictures of", "right, 32 px", "enlarged to 64 px, seen at 32", "enlarged to 64 px, seen at 64"],
            classes,
        ),
        "The nets were trained at 32 px and do not know enlarged images either: what they make of real ones is the "
        "ceiling of the last column.",
        "Of each layer's live channels: the picture's strongest channel, in deviations over real images, is its own; "
        "the picture excites it more than the best real image of the baseline (1,000 of CIFAR-10, 256 of ImageNet).",
        table(["layer", "channels", "its own", "beats real images"], layers),
    ]
    write_section("recognition", "\n\n".join(body))


if __name__ == "__main__":
    main()
