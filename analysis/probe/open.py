"""The one entry: where images are → a probe."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from analysis.models.input_spec import InputSpec
from analysis.probe.errors import ProbeError
from analysis.probe.folder import open_folder
from analysis.probe.picture import Undecodable
from analysis.probe.prepare import prepare
from analysis.probe.probe import Probe, ProbeCard
from analysis.probe.source import Source
from analysis.probe.subset import drawing_order

CACHE_BYTES = 192 * 2**20
"""Prepared images kept a process, as bytes a pixel: exemplars come back to the same images again and again."""


def open_probe(source: str, *, count: int | None = None, seed: int = 0) -> Probe:
    """Where images are → a probe of the readable ones.

    source : a folder (searched to the bottom; one folder a class gives labels)
    count  : take that many, drawn with `seed`, evenly over the classes where there are labels; None: all

    Images that can not be read are left out, counted and named in `card.skipped`. Raises ProbeError where there is
    nothing to read.
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
            listed.decode(index)
            taken.append(index)
        except (Undecodable, OSError) as problem:
            skipped.append((listed.names[index], str(problem)))
    if not taken:
        name, reason = skipped[0]
        raise ProbeError(
            f"None of the {len(skipped)} images in {source} can be read; of {name}, for one: {reason}. "
            "Check that they are whole image files."
        )
    return ImageProbe(listed, sorted(taken), source, {"count": count, "seed": seed}, tuple(sorted(skipped)))


def list_source(source: str) -> Source:
    """Find out what kind of source it is and list its images, none of them read. Raises ProbeError."""
    path = Path(source)
    if path.is_dir():
        return open_folder(path)
    if not path.exists():
        raise ProbeError(f"There is nothing at {source}. Give a folder of images.")
    raise ProbeError(f"{source} is no set of images that Strata knows. Give a folder of images.")


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
        return [self._source.names[index] for index in self._taken]

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
