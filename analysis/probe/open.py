"""The one entry: where images are → a probe."""

from __future__ import annotations

import hashlib
import tarfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from analysis.models.input_spec import InputSpec
from analysis.probe.arrays import open_idx, open_npy, open_npz
from analysis.probe.errors import ProbeError
from analysis.probe.folder import open_folder, open_image
from analysis.probe.picture import Undecodable, is_image_name
from analysis.probe.prepare import misfit, prepare
from analysis.probe.probe import Probe, ProbeCard
from analysis.probe.source import Source
from analysis.probe.subset import drawing_order
from analysis.probe.tar import open_tar
from analysis.probe.torchvision_set import PREFIX, open_torchvision

CACHE_BYTES = 192 * 2**20
"""Prepared images kept a process, as bytes a pixel: exemplars come back to the same images again and again."""


def open_probe(source: str, *, count: int | None = None, seed: int = 0, channels: int | None = None) -> Probe:
    """Where images are → a probe of the readable ones.

    source   : a folder (searched to the bottom; one folder a class gives labels), a single image, a tar of images,
               .npz, .npy, IDX, or torchvision:<dataset>:<folder>
    count    : take that many, drawn with `seed`, evenly over the classes where there are labels; None: all
    channels : of the model that is to see them; None: any

    Images that can not be read, or not given to so many channels, are left out, counted and named in `card.skipped`.
    Raises ProbeError where there is nothing to read.
    """
    listed = list_source(source)
    if count is not None and count < 1:
        raise ProbeError(f"A probe of {count} images measures nothing. Ask for one image or more.")
    taken: list[int] = []
    skipped: list[tuple[str, str]] = []
    for index in drawing_order(len(listed.names), listed.labels, count, seed):
        if count is not None and len(taken) == count:
            break
        try:
            image = listed.decode(index)
            if channels is not None and (reason := misfit(image, channels)) is not None:
                raise Undecodable(f"it {reason}")
            taken.append(index)
        except (Undecodable, OSError) as problem:
            skipped.append((listed.names[index], str(problem)))
    if not taken:
        name, reason = skipped[0]
        raise ProbeError(
            f"None of the {len(skipped)} images in {source} can be read; of {name}, for one: {reason}. "
            "Check that they are whole image files, with the channels that the model was trained on."
        )
    options = {"count": count, "seed": seed, "channels": channels}
    return ImageProbe(listed, sorted(taken), source, options, tuple(sorted(skipped)))


def list_source(source: str) -> Source:
    """Find out what kind of source it is and list its images, none of them read. Raises ProbeError."""
    if source.startswith(PREFIX):
        return open_torchvision(source)
    path = Path(source).expanduser()
    if path.is_dir():
        idx = sorted(each for each in path.glob("*images*idx3*") if each.is_file())
        return open_idx(idx[0]) if len(idx) == 1 else open_folder(path)
    if not path.exists():
        raise ProbeError(f"There is nothing at {source}. Give a folder of images.")
    kind = _kind_of(path)
    if kind is None:
        raise ProbeError(
            f"{source} is no set of images that Strata knows. Give a folder, a tar, .npz, .npy or IDX file of images, "
            "or torchvision:CIFAR10:<folder>."
        )
    return kind(path)


def _kind_of(path: Path) -> Callable[[Path], Source] | None:
    """What can open a file, told by its first bytes; an image by its name."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(b"\x93NUM"):
        return open_npy
    if head == b"PK\x03\x04" and path.suffix == ".npz":
        return open_npz
    if is_image_name(path.name):
        return open_image
    if tarfile.is_tarfile(path):
        return open_tar
    if "idx" in path.name or head[:2] == b"\0\0":
        return open_idx
    return open_tar if path.name.endswith((".tar", ".tgz", ".tar.gz")) else None


class ImageProbe:
    """The probe that `open_probe` gives: images are decoded when they are asked for."""

    def __init__(
        self,
        source: Source,
        taken: Sequence[int],
        address: str,
        options: dict[str, int | None],
        skipped: tuple[tuple[str, str], ...],
    ) -> None:
        self._source = source
        self._taken = tuple(taken)
        self._names = tuple(source.names[index] for index in taken)
        self._labels = None if source.labels is None else source.labels[list(taken)]
        self._card = ProbeCard(
            hash=_hash(source, self._taken),
            source=address,
            options=options,
            count=len(self._taken),
            classes=source.classes,
            skipped=skipped,
        )
        self._prepared: OrderedDict[tuple[int, tuple[float, ...]], np.ndarray] = OrderedDict()
        self._held = 0

    @property
    def card(self) -> ProbeCard:
        return self._card

    @property
    def names(self) -> Sequence[str]:
        return self._names

    @property
    def labels(self) -> np.ndarray | None:
        return self._labels

    def batch(self, indices: Sequence[int], spec: InputSpec) -> torch.Tensor:
        """[len(indices), C, H, W] float32 in [0, 1]. See analysis.probe.probe.Probe."""
        if len(indices) == 0:
            return torch.zeros(0, spec.channels, spec.height, spec.width)
        return torch.from_numpy(np.stack([self._image(index, spec) for index in indices]))

    def _image(self, index: int, spec: InputSpec) -> np.ndarray:
        key = (index, (spec.channels, spec.height, spec.width, spec.crop))
        kept = self._prepared.get(key)
        if kept is not None:
            self._prepared.move_to_end(key)
            return kept.astype(np.float32) / np.float32(255)
        name = self._source.names[self._taken[index]]
        try:
            image = prepare(self._source.decode(self._taken[index]), spec, name)
        except (Undecodable, OSError) as problem:
            raise ProbeError(f"{name} can not be read any more ({problem}). Put it back, or build anew.") from problem
        self._keep(key, image)
        return image

    def _keep(self, key: tuple[int, tuple[float, ...]], image: np.ndarray) -> None:
        """Keep images that came from whole bytes, as bytes: giving them back loses nothing."""
        pixels = np.round(image * 255).astype(np.uint8)
        if not np.array_equal(pixels.astype(np.float32) / np.float32(255), image):
            return
        self._prepared[key] = pixels
        self._held += pixels.nbytes
        while self._held > CACHE_BYTES:
            self._held -= self._prepared.popitem(last=False)[1].nbytes


def _hash(source: Source, taken: Sequence[int]) -> str:
    """32 hexadecimal digits over content, order and labels (with the class names that give them meaning)."""
    total = hashlib.sha256()
    for index in taken:
        total.update(hashlib.sha256(source.content(index)).digest())
        if source.labels is not None:
            total.update(f"{source.labels[index]}".encode())
    total.update("\n".join(source.classes).encode())
    return total.hexdigest()[:32]
