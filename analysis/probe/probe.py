"""A probe: real images, in a fixed order, with labels where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:  # cards are read where no torch is loaded (the dashboard)
    import torch

    from analysis.models.input_spec import InputSpec


@dataclass(frozen=True)
class ProbeCard:
    """What is known of a probe, as plain facts, kept in every atlas.

    hash    : 32 hexadecimal digits over the images' content, order and labels
    source  : where the images are, as `open_probe` takes it
    options : what else `open_probe` needs to find the same images again (count, seed, channels)
    count   : number of readable images
    classes : class names in the order of the label numbers, empty where there are no labels
    skipped : files that could not be read, or not given to the model, each with the reason
    """

    hash: str
    source: str
    options: Mapping[str, Any]
    count: int
    classes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "classes": list(self.classes), "skipped": [list(pair) for pair in self.skipped]}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> ProbeCard:
        skipped = tuple((name, reason) for name, reason in facts["skipped"])
        return cls(**{**facts, "classes": tuple(facts["classes"]), "skipped": skipped})


class Probe(Protocol):
    """What techniques see of a probe."""

    @property
    def card(self) -> ProbeCard: ...

    @property
    def names(self) -> Sequence[str]:
        """A short name an image: its path below the source, say."""
        ...

    @property
    def labels(self) -> np.ndarray | None:
        """[count] int64, or None."""
        ...

    def batch(self, indices: Sequence[int], spec: InputSpec) -> torch.Tensor:
        """[len(indices), spec.channels, spec.height, spec.width] float32 in [0, 1], RGB.

        Resized so that the short side is the spec's ÷ crop, then cropped at the centre, as the model's own
        preprocessing does.
        """
        ...
