"""Which images stand for a channel: its strongest, ones like most, its weakest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis import encoding
from analysis.exemplars.ranking import Ranking
from analysis.statistics.drawn import Drawn
from analysis.statistics.layer_state import arrays_of
from analysis.technique import Artifact


@dataclass(frozen=True)
class Exemplar:
    """kind: "top" | "median" | "least"; rank: 0 is the strongest (most median, weakest); place: flat, in the map."""

    channel: int
    kind: str
    rank: int
    image: int
    value: float
    place: int


@dataclass(frozen=True)
class Candidates:
    """What of a layer's state exemplars are chosen from."""

    highest: Ranking
    lowest: Ranking
    drawn: Drawn

    @classmethod
    def from_shards(cls, file: str, shards: Sequence[Artifact]) -> Candidates:
        """Of all shards joined, reading no more of them than is needed."""
        parts = [cls._from_arrays(encoding.from_npz(shard[file])) for shard in shards]
        first = parts[0]
        for other in parts[1:]:
            first.highest.merge(other.highest)
            first.lowest.merge(other.lowest)
            first.drawn.merge(other.drawn)
        return first

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Candidates:
        return cls(
            Ranking.from_arrays(arrays_of(arrays, "highest")),
            Ranking.from_arrays(arrays_of(arrays, "lowest")),
            Drawn.from_arrays(arrays_of(arrays, "drawn")),
        )


def exemplars_of(state: Candidates, channel: int, top: int, median: int, least: int) -> list[Exemplar]:
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


def _nearest_median(state: Candidates, channel: int) -> list[tuple[int, float, int]]:
    drawn = state.drawn
    peaks = drawn.peaks[:, channel].astype(np.float64)
    rows = np.flatnonzero(np.isfinite(peaks))
    if not len(rows):
        return []
    distance = np.abs(peaks[rows] - np.median(peaks[rows]))
    rows = rows[np.lexsort((drawn.images[rows], distance))]
    return [(int(drawn.images[row]), float(peaks[row]), int(drawn.places[row, channel])) for row in rows[:64]]
