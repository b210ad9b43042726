"""How far a build is, in what people count: layers, channels, time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Any

from analysis.jobs.worker import Outcome
from analysis.task import Task

DOING: Mapping[str, str] = {
    "weights": "reading the weights",
    "circuits": "following what feeds what",
    "measure": "measuring the layers on the images",
    "statistics": "working out statistics",
    "outputs": "noting what the model answers",
    "exemplars": "finding the images that excite each channel",
    "images": "keeping small copies of these images",
    "heat-pass": "finding where channels answer",
    "heat": "marking where channels answer",
    "prior": "learning what images look like",
    "sketches": "sketching pictures",
    "features": "drawing pictures",
    "renders": "drawing pictures",
    "twins": "drawing the same net with random weights",
    "map": "laying out the map",
    "activation-atlas": "drawing the activation atlas",
}
"""Technique → what is being done, for people."""


class Tally:
    """Counts outcomes of the planned tasks. heads: layers that are outputs; they are not counted among the layers."""

    def __init__(self, tasks: Sequence[Task], workers: int, heads: Collection[str] = ()) -> None:
        self._heads = heads
        self._tasks = {task.key: task for task in tasks}
        self._left = dict(self._tasks)
        self._workers = max(workers, 1)
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._cold: dict[str, list[float]] = defaultdict(list)
        self._left_of_layer = Counter(task.layer for task in tasks if self._is_of_a_layer(task))
        self._left_of_technique = Counter(task.technique for task in tasks)
        self._of_technique = Counter(self._left_of_technique)
        self._last: Task | None = None
        self.failed: list[Outcome] = []
        self.cancelled = 0

    def add(self, outcome: Outcome) -> None:
        task = self._left.pop(outcome.key)
        if outcome.state == "failed":
            self.failed.append(outcome)
        self.cancelled += outcome.state == "cancelled"
        if outcome.seconds:
            (self._cold if outcome.cold else self._seconds)[task.technique].append(outcome.seconds)
        if self._is_of_a_layer(task):
            self._left_of_layer[task.layer] -= 1
        self._left_of_technique[task.technique] -= 1
        self._last = task

    def seconds_left(self) -> float | None:
        """Estimate: for each technique the median of what its tasks took; of all, for one that has not begun.

        None while nothing is known of what takes longest, the pictures. Tasks that also opened the model count only
        where there are no others.
        """
        known = {**self._cold, **self._seconds}
        begun = {name: median(each) for name, each in known.items()}
        if not begun or not {task.technique for task in self._drawn()} <= begun.keys():
            return None
        overall = median(seconds for each in known.values() for seconds in each)
        return sum(begun.get(task.technique, overall) for task in self._left.values()) / self._workers

    def error(self) -> str | None:
        """One sentence over what failed."""
        if not self.failed:
            return None
        first = self.failed[0]
        return f"{len(self.failed)} of {len(self._tasks)} tasks failed; the first: {first.reason}"

    def row(self) -> dict[str, Any]:
        """The columns of the job table that say how far it is."""
        drawn = [task for task in self._drawn() if self._is_of_a_layer(task)]
        seconds = self.seconds_left()
        last = self._last
        doing = "" if last is None else DOING.get(last.technique, last.technique)
        return {
            "done": len(self._tasks) - len(self._left),
            "total": len(self._tasks),
            "note": f"{doing}: {last.layer}" if last and last.layer else doing,
            "progress": {
                "layers_done": sum(left == 0 for left in self._left_of_layer.values()),
                "layers": len(self._left_of_layer),
                "channels_done": sum(_channels(task) for task in drawn if task.key not in self._left),
                "channels": sum(_channels(task) for task in drawn),
                "layer": None if last is None else last.layer,
                "techniques": {
                    name: [total - self._left_of_technique[name], total] for name, total in self._of_technique.items()
                },
                "seconds_left": None if seconds is None else round(seconds, 1),
            },
        }

    def _is_of_a_layer(self, task: Task) -> bool:
        return task.layer is not None and task.layer not in self._heads

    def _drawn(self) -> list[Task]:
        """The tasks whose channels are counted: the pictures' where any are made, else the exemplars'."""
        for technique in ("features", "exemplars"):
            drawn = [task for task in self._tasks.values() if task.technique == technique]
            if drawn:
                return drawn
        return []


def _channels(task: Task) -> int:
    return 0 if task.channels is None else task.channels[1] - task.channels[0]
