"""An image of any size and mode → what a model wants to see: its channels, its size, resized and cropped its way."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from analysis.models.input_spec import InputSpec
from analysis.probe.errors import ProbeError
from analysis.probe.source import Planes

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as Pillow's convert("L")."""


def prepare(image: Image.Image | Planes, spec: InputSpec, name: str = "image") -> np.ndarray:
    """→ [spec.channels, spec.height, spec.width] float32 in [0, 1], RGB.

    Resized (bilinear, antialiased) until it covers the spec's size ÷ crop, then cropped at the centre, as
    torchvision's Resize and CenterCrop do. Raises ProbeError where the number of channels can not fit.
    """
    if isinstance(image, Image.Image) and spec.channels in {1, 3}:
        return _prepare_picture(image, spec)
    planes = image if isinstance(image, np.ndarray) else _planes_of_picture(image)
    planes = with_channels(planes, spec.channels, name)
    height, width = covering_size(planes.shape[1:], spec)
    tensor = torch.from_numpy(planes)[None]
    if (height, width) != planes.shape[1:]:
        tensor = functional.interpolate(tensor, (height, width), mode="bilinear", antialias=True)
    top, left = _corner(height, width, spec)
    return tensor[0, :, top : top + spec.height, left : left + spec.width].clamp(0, 1).numpy()


def covering_size(size: tuple[int, ...], spec: InputSpec) -> tuple[int, int]:
    """(height, width) of an image → the (height, width) it is resized to before the crop."""
    scale = max(round(spec.height / spec.crop) / size[0], round(spec.width / spec.crop) / size[1])
    return max(spec.height, int(size[0] * scale + 1e-9)), max(spec.width, int(size[1] * scale + 1e-9))


def _corner(height: int, width: int, spec: InputSpec) -> tuple[int, int]:
    return round((height - spec.height) / 2), round((width - spec.width) / 2)


def _prepare_picture(image: Image.Image, spec: InputSpec) -> np.ndarray:
    image = opaque(image).convert("L" if spec.channels == 1 else "RGB")
    height, width = covering_size((image.height, image.width), spec)
    if (height, width) != (image.height, image.width):
        # reducing_gap makes huge images cheap: they are first shrunk by a whole number, to no less than three times
        image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    top, left = _corner(height, width, spec)
    pixels = np.asarray(image.crop((left, top, left + spec.width, top + spec.height)), np.float32) / np.float32(255)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def opaque(image: Image.Image) -> Image.Image:
    """What a person sees of a picture with transparent parts: laid on white."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _planes_of_picture(image: Image.Image) -> Planes:
    pixels = np.asarray(image, np.float32) / np.float32(255)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def with_channels(planes: Planes, channels: int, name: str) -> Planes:
    """Grey to any number of channels, colour to grey; anything else must have the right number already."""
    reason = misfit(planes, channels)
    if reason is not None:
        raise ProbeError(f"{name} {reason}. Give images with the channels the model was trained on.")
    if planes.shape[0] == channels:
        return planes
    if planes.shape[0] == 1:
        return np.repeat(planes, channels, axis=0)
    if channels == 1:
        return np.einsum("c,chw->hw", np.array(LUMA, np.float32), planes)[None]
    return planes[:channels]


def misfit(image: Image.Image | Planes, channels: int) -> str | None:
    """Why no input of so many channels can be made of an image, as the end of a sentence; None where it can."""
    if isinstance(image, Image.Image):
        own, possible = len(image.getbands()), {1, 3}
    else:
        own, possible = image.shape[0], {3: {1}, 4: {3}}.get(image.shape[0], set())
    if own in {1, channels} or channels in possible:
        return None
    return f"has {own} channels and the model wants {channels}"
