"""What a kind of image source must tell: how many images, their names and labels, and each one's content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

Planes = np.ndarray
"""[C, H, W] float32 in [0, 1]: an image that is no picture file (any number of channels)."""


@dataclass(frozen=True)
class Source:
    """A listed, not yet read, set of images.

    names   : one short name an image, in the source's order
    labels  : [len(names)] int64, or None
    classes : class names in the order of the label numbers
    content : index → the bytes that the image's identity is the hash of
    decode  : index → the image, as a PIL image or as planes; raises whatever the decoder raises
    """

    names: tuple[str, ...]
    labels: np.ndarray | None
    classes: tuple[str, ...]
    content: Callable[[int], bytes]
    decode: Callable[[int], Image.Image | Planes]
