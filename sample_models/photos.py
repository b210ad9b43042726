"""`python -m sample_models.photos DIR`: train the photo net on a folder with `train/<class>/` and `val/<class>/`.

The net is timm's ResNet-10-T: small, plain convs, no gates, known to Strata from its keys. It is trained against small
perturbations: it gives up three points of accuracy, and what its channels want then looks like things (Engstrom et al.
2019, 1906.00945). Minutes on a GPU, far longer on two cores.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from sample_models import export
from sample_models.augment import Views
from sample_models.catalog import SAMPLES
from sample_models.recipes import WEIGHTS
from sample_models.training import Recipe, accuracy, train

SIDE = 128
SEED = 0
RECIPE = Recipe(
    epochs=120,
    batch=128,
    rate=0.15,
    average=0.998,
    robust=0.75,
    views=Views(zoom=(0.45, 1.0), stretch=1.6, turn=0.15, mirror=True, light=0.3, cutmix=0.3),
)


def net(classes: int) -> nn.Module:
    from analysis.models.torchvision_import import torchvision  # noqa: F401  makes timm's import of it work

    import timm  # isort: skip

    torch.manual_seed(SEED)
    made: nn.Module = timm.create_model("resnet10t", num_classes=classes)
    return made


def read(folder: Path) -> tuple[Tensor, Tensor, list[str]]:
    """A folder of class folders → ([N, 3, SIDE, SIDE] uint8, labels, class names in order)."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    files = [(path, label) for label, name in enumerate(names) for path in sorted((folder / name).iterdir())]
    images = torch.from_numpy(np.stack([_square(path) for path, _ in files])).permute(0, 3, 1, 2)
    return images, torch.tensor([label for _, label in files]), names


def _square(path: Path) -> np.ndarray:
    """The photo's middle, SIDE × SIDE."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    scale = SIDE / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    return np.asarray(image.crop((left, top, left + SIDE, top + SIDE)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sample_models.photos", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds train/ and val/, each with a folder a class")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    for part in ("train", "val"):
        if not (arguments.folder / part).is_dir():
            parser.error(f"{arguments.folder} has no folder {part}")
    images, labels, names = read(arguments.folder / "train")
    unseen, truth, _ = read(arguments.folder / "val")

    def after(epoch: int, made: nn.Module, loss: float) -> None:
        if epoch % 10 == 0:
            right = accuracy(made, unseen, truth)
            print(f"epoch {epoch} of {RECIPE.epochs}: loss {loss:.3f}, right {right:.1%}", flush=True)

    made = train(net(len(names)), images, labels, RECIPE, SEED, after, device=arguments.device)
    export.to_state_dict(made, WEIGHTS / "photos.pt", torch.float16)
    write_card(accuracy(made.half().float(), unseen, truth), len(images), len(unseen), names)


def write_card(right: float, trained_on: int, measured_on: int, names: list[str]) -> None:
    facts = {
        "look_at": SAMPLES["photos"].look_at,
        "measured": {"accuracy": round(right, 4)},
        "measured_on": f"{measured_on} photos of val/",
        "trained_on": f"{trained_on} photos of train/, {SIDE} px, {len(names)} classes",
        "classes": names,
        "epochs": RECIPE.epochs,
        "recipe": asdict(RECIPE),
        "seed": SEED,
        "code": "sample_models/photos.py",
    }
    (WEIGHTS / "photos.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
