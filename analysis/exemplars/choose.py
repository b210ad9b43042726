"""Which images stand for a channel: its strongest, ones like most, its weakest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.statistics.layer_state import LayerState


@dataclass(frozen=True)
class Exemplar:
    """kind: "top" | "median" | "least"; rank: 0 is the strongest (most median, weakest); place: flat, in the map."""

    channel: int
    kind: str
    rank: int
    image: int
    value: float
    place: int


def exemplars_of(state: LayerState, channel: int, top: int, median: int, least: int) -> list[Exemplar]:
    """Of one channel: up to so many of each kind, no image twice (the strongest are chosen first, then the weakest).

    The medians are those of the drawn images (see analysis.statistics.drawn) whose peak is nearest to the median peak.
    """
    taken: set[int] = set()
    found: list[Exemplar] = []

    def take(kind: str, wanted: int, candidates: list[tuple[int, float, int]]) -> None:
        rank = 0
        for image, value, place in candidates:
            if rank == wanted:
                return
            if image not in taken:
                taken.add(image)
                found.append(Exemplar(channel, kind, rank, image, value, place))
                rank += 1

    take("top", top, _ranked(state.highest.images, state.highest.values, state.highest.places, channel))
    take("least", least, _ranked(state.lowest.images, -state.lowest.values, state.lowest.places, channel))
    take("median", median, _nearest_median(state, channel))
    return found


def _ranked(images: np.ndarray, values: np.ndarray, places: np.ndarray, channel: int) -> list[tuple[int, float, int]]:
    rows = zip(images[channel], values[channel], places[channel], strict=True)
    return [(int(image), float(value), int(place)) for image, value, place in rows if image >= 0]


def _nearest_median(state: LayerState, channel: int) -> list[tuple[int, float, int]]:
    drawn = state.drawn
    peaks = drawn.peaks[:, channel].astype(np.float64)
    rows = np.flatnonzero(np.isfinite(peaks))
    if not len(rows):
        return []
    distance = np.abs(peaks[rows] - np.median(peaks[rows]))
    rows = rows[np.lexsort((drawn.images[rows], distance))]
    return [(int(drawn.images[row]), float(peaks[row]), int(drawn.places[row, channel])) for row in rows[:64]]
