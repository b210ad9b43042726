"""What a model's classes are called, where that is known without anybody having said it. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

from analysis.models.model import ModelCard

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""In the order of the data set's own `batches.meta` (Krizhevsky 2009)."""


@dataclass(frozen=True)
class ClassNames:
    """names: one a class, in the order of the head's numbers · evidence: a clause that says why they are believed."""

    names: tuple[str, ...]
    evidence: str


def published_names(card: ModelCard) -> ClassNames | None:
    """The classes that the published weights of this net were trained for; None where their number is another.

    That this file's weights keep their order is assumed, and the evidence says so.
    """
    sizes = list(card.heads.values())
    net = card.architecture or ""
    if len(sizes) != 1 or not net or ".py:" in net:
        return None
    if sizes[0] == len(CIFAR10) and net.startswith("cifar_resnet"):
        return ClassNames(CIFAR10, f"assumed: {net} is made for CIFAR-10, and has as many outputs")
    imagenet = _imagenet()
    if sizes[0] == len(imagenet) and not net.startswith("cifar_resnet"):
        return ClassNames(imagenet, f"assumed: {net} with a thousand outputs is mostly trained on ImageNet-1k")
    return None


@cache
def _imagenet() -> tuple[str, ...]:
    """ImageNet-1k's classes from torchvision's own list, a plain file that is read without the rest of torchvision."""
    package = find_spec("torchvision")
    file = None if package is None or package.origin is None else Path(package.origin).parent / "models" / "_meta.py"
    spec = None if file is None or not file.is_file() else spec_from_file_location("torchvision_classes", file)
    if spec is None or spec.loader is None:
        return ()
    listed = module_from_spec(spec)
    spec.loader.exec_module(listed)
    return tuple(getattr(listed, "_IMAGENET_CATEGORIES", ()))
