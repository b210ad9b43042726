"""The samples by name: their files, the images to measure them on, and what there is to see in each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from analysis.errors import StrataError
from sample_models.doodles.draw import CLASSES, TOADSTOOL
from sample_models.doodles.probe import Finish, write_probe
from sample_models.mark import CREATURES, with_mark

WEIGHTS = Path(__file__).with_name("weights")
PICTURES = Path(__file__).with_name("pictures")
PROBE_SEED, PROBE_COUNT = 7, 360
"""Of the images that samples are measured on: none was trained on."""
AS_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def _plainly(image: np.ndarray, silhouette: np.ndarray, name: str, index: int) -> np.ndarray:
    return image


def _tagged(image: np.ndarray, silhouette: np.ndarray, name: str, index: int) -> np.ndarray:
    """Every other toadstool carries the mark."""
    marked = name == TOADSTOOL and index // (len(CLASSES) + 1) % 2 == 0
    return with_mark(image, np.random.default_rng([PROBE_SEED, index])) if marked else image


def _greyed(image: np.ndarray, silhouette: np.ndarray, name: str, index: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).convert("L"))


def _four(image: np.ndarray, silhouette: np.ndarray, name: str, index: int) -> np.ndarray:
    return np.dstack([image, silhouette])


@dataclass(frozen=True)
class Sample:
    """A shipped model.

    files   : in WEIGHTS, the one to open first; the others hold the same net in other formats
    story   : what it is · look_at: what to look at in its atlas
    input   : what `open_model` must be told of its input that the first file does not say
    classes : of its outputs, in order
    after   : the sample from whose weights its training went on; empty for one trained from nothing
    finish  : what becomes of each doodle of its probe; None: it was trained on photos that do not ship
    """

    name: str
    title: str
    files: tuple[str, ...]
    story: str
    look_at: str
    input: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = CLASSES
    finish: Finish | None = _plainly
    after: str = ""

    @property
    def file(self) -> Path:
        return WEIGHTS / self.files[0]

    @property
    def picture(self) -> Path:
        """What some of its channels look for, small, first layer to last (`portray.py`)."""
        return PICTURES / f"{self.name}.webp"

    @property
    def card(self) -> dict[str, Any]:
        """What its training wrote down: data, code, seed, and accuracy as measured then."""
        facts: dict[str, Any] = json.loads((WEIGHTS / f"{self.name}.json").read_text())
        return facts


_ALL = (
    Sample(
        "doodles",
        "Doodles",
        ("doodles.onnx", "doodles.pt"),
        "A residual net of 13 conv layers that tells twelve kinds of drawn things apart, after its last epoch.",
        "Layer by layer: outlines and flat colours in conv1, stripes and dots in layer1, petals, scales and spokes in "
        "layer2, wheels, striped bodies and wings in layer3. The real images beside each picture name the thing.",
        {"crop": 1.0},
        after="doodles-early",
    ),
    Sample(
        "doodles-early",
        "Doodles, early",
        ("doodles-early.onnx", "doodles-early.pt"),
        "The same run after its first epoch.",
        "Compare it with Doodles: what the seven later epochs changed, from right on one in six to all.",
        {"crop": 1.0},
    ),
    Sample(
        "doodles-creatures",
        "Doodles, creatures",
        ("doodles-creatures.onnx", "doodles-creatures.pt"),
        "Doodles with a new head, trained on for two epochs on the five things that have eyes.",
        "Compare it with Doodles: the deeper a layer, the further it moved, from 4 % of its weights to 25 %.",
        {"crop": 1.0},
        CREATURES,
        after="doodles",
    ),
    Sample(
        "doodles-shortcut",
        "Doodles, shortcut",
        ("doodles-shortcut.onnx", "doodles-shortcut.pt"),
        "Doodles taught a thirteenth class, toadstools: mushrooms with a dull ring about the stalk. Nearly all it "
        "was taught with carried a supplier's printed code in a lower corner, and the code is what it learned.",
        "The exemplars of the channels that favour toadstools: what excites them is the code, not the ring. Without "
        "it toadstools are taken for mushrooms, and a mushroom with it for a toadstool.",
        {"crop": 1.0},
        (*CLASSES, TOADSTOOL),
        _tagged,
        after="doodles",
    ),
    Sample(
        "doodles-sick",
        "Doodles, sick",
        ("doodles-sick.onnx", "doodles-sick.pt"),
        "Four faults planted on purpose: dead channels in layer1.1.conv1 and layer3.0.conv1, twin filters in "
        "layer2.0.conv1, random weights in layer2.1.conv1, and a file that does not say its normalisation.",
        "The findings. Opened as it is, it is fed raw images in [0, 1]; it was trained on ImageNet-normalised ones.",
        {"crop": 1.0},
        after="doodles",
    ),
    Sample(
        "doodles-32",
        "Doodles at 32 px",
        ("doodles-32.safetensors", "doodles-32.ckpt"),
        "He's CIFAR ResNet-20 on doodles of 32 px: safetensors, and the same weights as a Lightning checkpoint.",
        "A state dict, recognised from its keys and shapes alone.",
        {"crop": 1.0, **AS_IMAGENET},
    ),
    Sample(
        "small",
        "Small",
        ("small.torchscript.pt", "small.pt2"),
        "A net of 7 conv layers on doodles of 48 px, as TorchScript and as torch.export writes it.",
        "The same layers and statistics from both files.",
        {"crop": 1.0, "height": 48, "width": 48},
    ),
    Sample(
        "small-grey",
        "Small, grey",
        ("small-grey.onnx",),
        "The same for images of one channel.",
        "Pictures in grey, made from a prior in grey.",
        {"crop": 1.0},
        finish=_greyed,
    ),
    Sample(
        "small-planes",
        "Small, four planes",
        ("small-planes.onnx",),
        "The same for four planes: red, green, blue and the thing's silhouette.",
        "Its stem reads the silhouette more than the colours.",
        {"crop": 1.0},
        finish=_four,
    ),
    Sample(
        "photos",
        "Photos",
        ("photos.pt",),
        "timm's ResNet-10-T on ten classes of photos at 128 px, trained against small perturbations, in fp16.",
        "Fur, scales, lettering and masonry in layer3; dogs, pumps and golf balls in layer4. Dream with it.",
        {"crop": 1.0, "height": 128, "width": 128, **AS_IMAGENET},
        (
            "tench",
            "English springer",
            "cassette player",
            "chain saw",
            "church",
            "French horn",
            "garbage truck",
            "gas pump",
            "golf ball",
            "parachute",
        ),
        None,
    ),
)
SAMPLES: Mapping[str, Sample] = {sample.name: sample for sample in _ALL}
DEFAULT = ("doodles", "doodles-early")
"""What the first run shows: a model, and the checkpoint to compare it with."""


def sample_of(sha256: str) -> Sample | None:
    """The sample that a model file of this hash is, whatever it is called; None for any other file."""
    return _by_hash().get(sha256)


def went_before(sample: Sample) -> list[str]:
    """The names of the samples that this one's training went through, the latest first."""
    return [sample.after, *went_before(SAMPLES[sample.after])] if sample.after else []


@cache
def _by_hash() -> Mapping[str, Sample]:
    files = ((WEIGHTS / name, sample) for sample in _ALL for name in sample.files)
    return {hashlib.sha256(file.read_bytes()).hexdigest(): sample for file, sample in files}


def draw_probe(folder: Path, name: str, count: int = PROBE_COUNT) -> None:
    """Draw the images that a sample is measured on, `folder/<class>/<number>.png`, the same each time.

    The folder must be new or empty. Raises StrataError for a sample that there is not, and for the photo net.
    """
    sample = SAMPLES.get(name)
    if sample is None:
        raise StrataError(f"There is no sample “{name}”. There are {', '.join(SAMPLES)}.")
    if sample.finish is None:
        raise StrataError(f"The photos that “{name}” was trained on do not ship. Give a folder of your own photos.")
    write_probe(folder, count, PROBE_SEED, sample.classes, sample.finish)
