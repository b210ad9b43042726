"""Images as arrays: `.npy` and `.npz`, the latter with labels and class names where it has them; IDX, as MNIST."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from analysis.probe.errors import ProbeError
from analysis.probe.picture import Undecodable, scaled
from analysis.probe.source import Source

LABEL_NAMES = ("labels", "label", "y", "y_test", "targets", "test_labels")
CLASS_NAMES = ("classes", "class_names", "names")
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def open_npy(path: Path) -> Source:
    """One array: [N, H, W], [N, C, H, W] or [N, H, W, C]."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as problem:
        raise ProbeError(f"{path.name} is no NumPy array of numbers ({problem}). Save one with np.save.") from problem
    return source_of_array(array, path.name)


def open_npz(path: Path) -> Source:
    """The largest array of images in it; labels and classes by their usual names (labels, y, classes …)."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as problem:
        raise ProbeError(
            f"{path.name} is no .npz of plain arrays ({problem}). Save one with np.savez(images=…, labels=…)."
        ) from problem
    images = [name for name, array in arrays.items() if array.ndim in {3, 4} and array.dtype.kind in "iufb"]
    if not images:
        raise ProbeError(f"{path.name} holds no array of images. Save one with np.savez(images=…, labels=…).")
    name = max(images, key=lambda each: arrays[each].size)
    labels = _named(arrays, LABEL_NAMES, len(arrays[name]))
    classes = next((arrays[each] for each in CLASS_NAMES if each in arrays and arrays[each].ndim == 1), None)
    return source_of_array(arrays[name], path.name, labels, () if classes is None else [str(each) for each in classes])


def open_idx(path: Path) -> Source:
    """An IDX file of images, gzipped or not; labels from the file beside it that is named …labels-idx1… ."""
    images = read_idx(path)
    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    labels = read_idx(beside) if beside != path and beside.is_file() else None
    return source_of_array(images, path.name, labels)


def read_idx(path: Path) -> np.ndarray:
    """LeCun's format: two zero bytes, a type, the number of dimensions, these as big-endian 32-bit numbers, values."""
    content = path.read_bytes()
    try:
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        kind, dimensions = IDX_TYPES[content[2]], content[3]
        shape = np.frombuffer(content, ">i4", dimensions, 4)
        return np.frombuffer(content, kind, int(np.prod(shape)), 4 + 4 * dimensions).reshape(shape)
    except (KeyError, IndexError, ValueError, EOFError, OSError) as problem:
        raise ProbeError(f"{path.name} is no whole IDX file. Get it again.") from problem


def source_of_array(
    array: np.ndarray, name: str, labels: np.ndarray | None = None, classes: Sequence[str] = ()
) -> Source:
    """[N, H, W], [N, C, H, W] or [N, H, W, C] of any number type; floats are scaled by the whole set's range."""
    if array.ndim not in {3, 4} or 0 in array.shape:
        raise ProbeError(
            f"{name} holds an array of shape {list(array.shape)}, no images. Give [N, height, width], "
            "[N, channels, height, width] or [N, height, width, channels]."
        )
    last = array.ndim == 4 and array.shape[3] < array.shape[1]
    scale = _scale_of(array, name)
    numbers, names = _numbered(labels, classes, len(array), name)

    def decode(index: int) -> Image.Image | np.ndarray:
        image = np.asarray(array[index])
        image = image[None] if image.ndim == 2 else image.transpose(2, 0, 1) if last else image
        if scale is None:
            return np.ascontiguousarray(scaled(image))
        if not np.isfinite(image).all():
            raise Undecodable("it holds values that are no numbers (NaN or infinity)")
        return np.ascontiguousarray(image, dtype=np.float32) / np.float32(scale)

    return Source(
        names=tuple(f"{name}[{index}]" for index in range(len(array))),
        labels=numbers,
        classes=names,
        content=lambda index: (
            hashlib.sha256(str((array.dtype, array.shape[1:])).encode()).digest()
            + np.ascontiguousarray(array[index]).tobytes()
        ),
        decode=decode,
    )


def _scale_of(array: np.ndarray, name: str) -> float | None:
    """What divides the values into [0, 1]; None where each image's own type tells."""
    if array.dtype.kind == "b" or array.dtype in (np.uint8, np.uint16):
        return None
    low, high = float(np.nanmin(array)), float(np.nanmax(np.where(np.isfinite(array), array, np.nan)))
    scale = next((scale for scale in (1.0, 255.0, 65535.0) if high <= scale), None)
    if low < 0 or scale is None:
        raise ProbeError(
            f"{name} holds values from {low:.4g} to {high:.4g}, no intensities. "
            "Give images of 0 … 1, 0 … 255 or 0 … 65535, before any normalisation."
        )
    return 255.0 if scale == 1.0 and array.dtype.kind in "iu" else scale


def _named(arrays: Mapping[str, np.ndarray], names: Sequence[str], count: int) -> np.ndarray | None:
    return next((arrays[name] for name in names if name in arrays and arrays[name].size == count), None)


def _numbered(
    labels: np.ndarray | None, classes: Sequence[str], count: int, name: str
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Labels as numbers from 0, and the classes' names: those given, or the labels themselves."""
    if labels is None:
        return None, ()
    if labels.size != count:
        raise ProbeError(f"{name} has {count} images and {labels.size} labels. Give one label an image.")
    flat = labels.ravel()
    if flat.dtype.kind in "iu" and flat.min(initial=0) >= 0:
        most = int(flat.max(initial=0)) + 1
        return flat.astype(np.int64), tuple(classes) or tuple(str(number) for number in range(most))
    known, numbers = np.unique(flat, return_inverse=True)
    return numbers.astype(np.int64), tuple(str(each) for each in known)
