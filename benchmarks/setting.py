"""Which model and images a benchmark runs on: options, else the shared ones, else the sample model."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from analysis.features.baseline import Baseline, baselines
from analysis.features.prior import Prior, prior_of, prior_without_images
from analysis.models.model import Model
from analysis.models.open import open_model
from analysis.probe.open import open_probe
from tests.shared import SHARED

SQUEEZENET = SHARED / "models/squeezenet/squeezenet1_1_imagenet_torchnorm.pth"
IMAGES = SHARED / "images/imagenet-1000.tar"
SAMPLES = Path(__file__).resolve().parents[1] / "sample_models"
WEIGHTS = (".pt", ".pth", ".safetensors", ".onnx")


@dataclass(frozen=True)
class Setting:
    """A model, real images [N, C, H, W] in [0, 1] where there are any, and what was learned of them."""

    file: Path
    model: Model
    images: torch.Tensor | None
    prior: Prior
    baselines: dict[str, Baseline]


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, help="model file (default: SqueezeNet, or the sample model)")
    parser.add_argument("--images", help="folder or tar of images (default: those that belong to the model)")
    return parser


def default_model() -> Path:
    if SQUEEZENET.exists():
        return SQUEEZENET
    found = sorted(file for file in SAMPLES.rglob("*") if file.suffix in WEIGHTS)
    if not found:
        raise SystemExit("There is no sample model to measure. Name one with --model FILE.")
    return found[0]


def open_setting(
    model: Path | None, images: str | None, count: int = 256, input_spec: Mapping[str, Any] | None = None
) -> Setting:
    """Open what the options name, with what the file does not say of its input. The prior and the baseline are those
    of an atlas build."""
    torch.set_num_threads(1)
    file = model or default_model()
    opened = open_model(file, input_spec=input_spec)
    source = images or (str(IMAGES) if file == SQUEEZENET and IMAGES.exists() else None)
    spec = opened.card.input
    if source is None:
        return Setting(file, opened, None, prior_without_images(spec.channels, spec.height, spec.width), {})
    probe = open_probe(source, count=count)
    pictures = probe.batch(range(probe.card.count), spec)
    return Setting(file, opened, pictures, prior_of(pictures), baselines(opened, pictures))
