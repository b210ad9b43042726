"""How far a build is, in what people count: layers, channels, time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

from analysis.jobs.worker import Outcome
from analysis.task import Task


class Tally:
    """Counts outcomes of the planned tasks."""

    def __init__(self, tasks: Sequence[Task], workers: int) -> None:
        self._tasks = {task.key: task for task in tasks}
        self._left = dict(self._tasks)
        self._workers = max(workers, 1)
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._cold: dict[str, list[float]] = defaultdict(list)
        self._left_of_layer = Counter(task.layer for task in tasks if task.layer is not None)
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
        if task.layer is not None:
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
        drawn = self._drawn()
        seconds = self.seconds_left()
        last = self._last
        note = "" if last is None else f"{last.technique} of {last.layer}" if last.layer else last.technique
        return {
            "done": len(self._tasks) - len(self._left),
            "total": len(self._tasks),
            "note": note,
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

    def _drawn(self) -> list[Task]:
        """The tasks whose channels are counted: the pictures' where any are made, else the exemplars'."""
        for technique in ("features", "exemplars"):
            drawn = [task for task in self._tasks.values() if task.technique == technique]
            if drawn:
                return drawn
        return []


def _channels(task: Task) -> int:
    return 0 if task.channels is None else task.channels[1] - task.channels[0]
