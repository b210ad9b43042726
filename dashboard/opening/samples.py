"""The samples as cards: what each is, what there is to see in it, what its channels look for."""

from __future__ import annotations

from dashboard.address import link
from dashboard.components.shelf import Offer, shelf
from dashboard.opening.sources import SAMPLES
from dashboard.state import View


def offers() -> list[Offer]:
    return [
        Offer(
            f"sample/{name}",
            link("open", View(file=f"sample/{name}")),
            sample.title,
            sample.story,
            sample.look_at,
            f"/samples/{name}.webp" if sample.picture.is_file() else "",
        )
        for name, sample in SAMPLES.items()
    ]


def choose_sample() -> str | None:
    """The source of the sample that a person chose in this run."""
    return shelf(offers(), key="samples")
