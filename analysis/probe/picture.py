"""Bytes of an image file → a PIL image or planes, whatever the mode, depth and orientation it was written in."""

from __future__ import annotations

import io
import warnings
from pathlib import PurePosixPath

import numpy as np
import tifffile
from PIL import Image, ImageOps

from analysis.probe.source import Planes

Image.init()
_PICTURE_SUFFIXES = (
    suffix for suffix, kind in Image.EXTENSION.items() if kind in Image.OPEN and kind not in {"PDF", "MPEG", "HDF5"}
)
IMAGE_SUFFIXES = frozenset({*_PICTURE_SUFFIXES, ".npy"})
"""What Pillow reads, by file name, and arrays."""
SMALL_MODES = {"RGB", "L"}


def is_image_name(path: str) -> bool:
    """Whether a file is named like an image, and neither it nor a folder of its path is hidden."""
    parts = PurePosixPath(path).parts
    return PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES and not any(part.startswith(".") for part in parts)


class Undecodable(Exception):
    """An image that can not be read; its text says why, in a clause."""


def decode_bytes(content: bytes, name: str) -> Image.Image | Planes:
    """One image file → an upright PIL image of mode L, RGB or RGBA (8 bits), or planes where there are more bits
    or other channels. Raises Undecodable.
    """
    suffix = PurePosixPath(name).suffix.lower()
    try:
        if not content:
            raise Undecodable("the file is empty")
        if suffix == ".npy":
            return planes_of(np.load(io.BytesIO(content), allow_pickle=False))
        if suffix in {".tif", ".tiff"}:
            return _decode_tiff(content)
        return _decode_picture(content)
    except Undecodable:
        raise
    except Exception as problem:  # decoders raise anything at all on hostile or broken files
        raise Undecodable(_clause(problem)) from problem


def _decode_picture(content: bytes) -> Image.Image | Planes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
            image: Image.Image = ImageOps.exif_transpose(opened)
    return simplified(image)


def simplified(image: Image.Image) -> Image.Image | Planes:
    """Any PIL image → mode L, RGB or RGBA; more than 8 bits a channel → planes."""
    if image.mode in SMALL_MODES or image.mode == "RGBA":
        return image
    if image.mode.startswith("I;16"):
        return planes_of(np.asarray(image).astype(np.uint16))
    if image.mode in {"I", "F"}:
        return planes_of(np.asarray(image))
    if image.mode in {"1", "L;1"}:
        return image.convert("L")
    if image.mode in {"LA", "La", "PA", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def _decode_tiff(content: bytes) -> Image.Image | Planes:
    """TIFF of up to four 8-bit channels is a picture; any other is planes (Pillow reads no five channels)."""
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        plain = len(file.pages) == 1 and page.samplesperpixel in {1, 3, 4} and page.bitspersample == 8
        if not plain and page.photometric != tifffile.PHOTOMETRIC.PALETTE:
            try:
                planes = planes_of(file.asarray())
                return _on_white(planes, page) if len(planes) == 2 else planes
            except ValueError:  # a compression that needs tifffile's companion; Pillow may know it
                pass
    return _decode_picture(content)


def _on_white(planes: Planes, page: tifffile.TiffPage) -> Planes:
    """Grey and how opaque it is → grey, laid on white; two planes that are something else as they are."""
    grey, opaque = planes[:1], planes[1:]
    if tifffile.EXTRASAMPLE.UNASSALPHA in page.extrasamples:
        return grey * opaque + (1 - opaque)
    return grey + (1 - opaque) if tifffile.EXTRASAMPLE.ASSOCALPHA in page.extrasamples else planes


def planes_of(array: np.ndarray) -> Planes:
    """[H, W], [C, H, W] or [H, W, C] of any number type → [C, H, W] float32 in [0, 1].

    The channel axis is the shorter one of the first and the last. Whole numbers are divided by their type's
    largest value, 32-bit ones and floats beyond 1 by the smallest of 255, 65535 that holds them.
    """
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or 0 in array.shape:
        raise Undecodable(f"an array of shape {list(array.shape)} is no image")
    if array.shape[2] < array.shape[0]:
        array = array.transpose(2, 0, 1)
    return np.ascontiguousarray(scaled(array))


def scaled(array: np.ndarray) -> np.ndarray:
    """Numbers of any type → float32 in [0, 1]. Raises Undecodable where the scale can not be told."""
    if array.dtype == np.bool_:
        return array.astype(np.float32)
    if array.dtype in (np.uint8, np.uint16):
        return array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    if array.dtype.kind not in "iuf":
        raise Undecodable(f"values of type {array.dtype} are no intensities")
    if not np.isfinite(array).all():
        raise Undecodable("it holds values that are no numbers (NaN or infinity)")
    low, high = float(array.min()), float(array.max())
    scale = next((scale for scale in (1.0, 255.0, 65535.0) if high <= scale), None)
    if low < 0 or scale is None:
        raise Undecodable(f"values from {low:.4g} to {high:.4g} are no intensities (0 … 1, 255 or 65535)")
    if array.dtype.kind in "iu" and scale == 1.0:
        scale = 255.0
    return array.astype(np.float32) / np.float32(scale)


def _clause(problem: Exception) -> str:
    text = " ".join(str(problem).split()) or type(problem).__name__
    text = "no known image format" if "cannot identify image file" in text else text
    return text[:160].rstrip(".")
