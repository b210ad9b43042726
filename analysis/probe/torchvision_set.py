"""`torchvision:<dataset>:<root>`: one of torchvision's datasets, where it lies already; nothing is downloaded."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

import numpy as np
from PIL import Image

from analysis.probe.errors import ProbeError
from analysis.probe.picture import Undecodable, simplified
from analysis.probe.source import Planes, Source

PREFIX = "torchvision:"


def open_torchvision(address: str) -> Source:
    """`torchvision:CIFAR10:<root>`: its test or validation part where it has one. Raises ProbeError."""
    name, _, root = address.removeprefix(PREFIX).partition(":")
    from analysis.models.torchvision_import import torchvision  # seconds to import: only where it is asked for

    kind: Any = getattr(torchvision.datasets, name, None)
    if not (root and hasattr(kind, "__getitem__")):
        raise ProbeError(f"{address} names no dataset of torchvision. Write torchvision:CIFAR10:<folder>, for one.")
    try:
        dataset: Any = kind(root, **_test_part(kind))
        labels, classes = _labels(dataset)
    except Exception as problem:  # each dataset raises its own kinds of errors for files that are not there
        reason = (str(problem) or type(problem).__name__).splitlines()[0].rstrip(".")
        raise ProbeError(
            f"torchvision's {name} can not be read from {root} ({reason}). Download it there."
        ) from problem

    def decode(index: int) -> Image.Image | Planes:
        image = dataset[index][0]
        if not isinstance(image, Image.Image):
            raise Undecodable(f"the dataset gives a {type(image).__name__}, no picture")
        return simplified(image)

    def content(index: int) -> bytes:
        image = dataset[index][0]
        return hashlib.sha256(f"{image.mode}{image.size}".encode()).digest() + image.tobytes()

    return Source(tuple(f"{name}[{index}]" for index in range(len(dataset))), labels, classes, content, decode)


def _test_part(kind: Any) -> dict[str, object]:
    parameters = inspect.signature(kind).parameters
    if "train" in parameters:
        return {"train": False}
    return {"split": "test"} if "split" in parameters else {}


def _labels(dataset: object) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """From the dataset's own list of labels; reading them image by image would decode them all."""
    for name in ("targets", "labels", "_labels", "y"):
        labels = getattr(dataset, name, None)
        if labels is not None and np.ndim(labels) == 1:
            classes = tuple(str(each) for each in getattr(dataset, "classes", ()))
            return np.asarray(labels, np.int64), classes
    return None, ()
