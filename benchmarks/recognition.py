"""Whether pictures mean what they say, on the two CIFAR ResNets: does another net name them, does their own layer?

    python -m benchmarks.recognition [--seeds 8]

Needs the shared files models/cifar-resnet and images/cifar-10-2000.tar (set STRATA_SHARED to their folder).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch.nn import functional

from analysis.features.baseline import Baseline
from analysis.features.parameters import Parameters
from analysis.features.pooling import pooled
from analysis.features.render import render
from analysis.features.target import target_of
from analysis.models.capture import run_to
from analysis.models.open import open_model
from analysis.probe.open import open_probe
from analysis.unit import HEAD
from benchmarks.lucent import Lucent
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


LUCENT_SEEDS = 2
LUCENT_CHANNELS = 6


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


def evenly(baseline: Baseline, count: int) -> list[int]:
    """Up to `count` of a layer's live channels, evenly spaced."""
    live = torch.nonzero(baseline.best > baseline.mean).flatten().tolist()
    return live[:: max(1, len(live) // count)][:count]


def own(setting: Setting, layer: str, count: int) -> list[str]:
    """Of some live channels: whose own picture excites them most of all channels of the layer, in deviations over real
    images; and whose picture beats their best real image."""
    model, baseline = setting.model, setting.baselines[layer]
    channels = evenly(baseline, count)
    made = render(model, layer, channels, setting.prior, Parameters(), baseline=baseline)
    target = target_of(model, layer, Parameters())
    with torch.no_grad():
        values = torch.cat([pooled(target.maps(part), target.rectified) for part in made.pictures.split(8)])
    return [f"{len(channels)} of {target.units}", *judged(values, channels, baseline)]


def lucents(setting: Setting, layer: str, count: int, lucent: Lucent) -> list[str]:
    """The same of Lucent's pictures, shown to the net at its own input's size, as Lucent itself shows them."""
    model, baseline = setting.model, setting.baselines[layer]
    channels, spec = evenly(baseline, count), model.card.input
    small = spec.height if spec.height < 64 else None
    made = [torch.from_numpy(lucent.picture(layer, channel, size=small)) for channel in channels]
    pictures = torch.stack(made).permute(0, 3, 1, 2).float()
    shown = functional.interpolate(pictures, (spec.height, spec.width), mode="bilinear")
    with torch.no_grad():
        values = torch.cat([pooled(run_to(model, part, layer), False) for part in shown.split(8)])
    return [str(len(channels)), *judged(values, channels, baseline)]


def judged(values: torch.Tensor, channels: list[int], baseline: Baseline) -> list[str]:
    """[N, units] numbers of the layer's channels on each picture → the two shares."""
    wanted, rows = torch.tensor(channels), torch.arange(len(channels))
    leads = baseline.standard(values).argmax(1) == wanted
    beats = values[rows, wanted] > baseline.best[wanted]
    return [f"{leads.float().mean():.0%}", f"{beats.float().mean():.0%}"]


def named_of_lucent(lucent: Lucent, judge: Path, seeds: int) -> str:
    """How many of Lucent's class pictures another net names."""
    other, right = open_model(judge), 0
    for seed in range(seeds):
        made = [torch.from_numpy(lucent.picture("linear", cls, size=32, seed=seed)) for cls in range(10)]
        pictures = torch.stack(made).permute(0, 3, 1, 2).float()
        right += int((other(pictures).argmax(1) == torch.arange(10)).sum())
    return f"{right / (10 * seeds):.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--channels", type=int, default=64, help="channels a layer of SqueezeNet")
    wanted = parser.parse_args()
    if not CIFAR.exists():
        raise SystemExit("The CIFAR ResNets and images are not here. Set STRATA_SHARED to the folder that holds them.")
    settings = {name: open_setting(file, str(CIFAR), count=1000) for name, file in NETS.items()}
    first, second = NETS
    classes = []
    for maker, judge in ((first, second), (second, first)):
        row = named(settings[maker], NETS[judge], wanted.seeds)
        with Lucent(NETS[maker]) as lucent:
            theirs = named_of_lucent(lucent, NETS[judge], LUCENT_SEEDS)
        classes.append([f"{maker}, named by {judge}", *row, theirs])
        print(classes[-1], flush=True)
    classes += [[f"real images, named by {judge}", *ceiling(NETS[judge]), ""] for judge in (second, first)]
    nets = [(first, settings[first], SMALL_LAYERS)]
    if SQUEEZENET.exists():
        nets.append(("SqueezeNet", open_setting(SQUEEZENET, None), LARGE_LAYERS))
    layers = []
    for name, setting, names in nets:
        with Lucent(setting.file) as lucent:
            for layer in names:
                theirs_too = lucents(setting, layer, LUCENT_CHANNELS, lucent)
                layers.append([f"{name} `{layer}`", *own(setting, layer, wanted.channels), *theirs_too])
                print(layers[-1], flush=True)
    body = [
        "## Whether pictures mean what they say",
        f"`python -m benchmarks.recognition`: default parameters, {wanted.seeds} seeds a class; Lucent 0.1.8 by its "
        f"defaults (512 steps; at 32 px without its enlarging), {LUCENT_SEEDS} seeds.",
        table(
            [
                "class pictures of",
                "right, 32 px",
                "enlarged to 64 px, seen at 32",
                "enlarged to 64 px, seen at 64",
                "Lucent's, 32 px",
            ],
            classes,
        ),
        "The nets were trained at 32 px and do not know enlarged images either: what they make of real ones is the "
        "ceiling of the last column but one.",
        "Of each layer's live channels: the picture's strongest channel, in deviations over real images, is its own; "
        "the picture excites it more than the best real image of the baseline (1,000 of CIFAR-10, 256 of ImageNet). "
        f"Lucent's pictures: of {LUCENT_CHANNELS} of these channels, since one takes half a minute.",
        table(
            ["layer", "channels", "its own", "beats real images", "Lucent: channels", "its own", "beats real images"],
            layers,
        ),
    ]
    write_section("recognition", "\n\n".join(body))


if __name__ == "__main__":
    main()
