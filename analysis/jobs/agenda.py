"""What of a plan may run now, and what of that first."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Sequence

from analysis.task import Task

ON_SCREEN = 1000
"""Added to the priority of what somebody looks at; priorities of techniques end at 100."""


class Agenda:
    """The tasks of a plan that are not done, each handed out once all that it needs is settled.

    The order: what is on a screen and all that it needs, the layer looked at last before those looked at earlier; then
    by the tasks' priorities; then as planned.
    """

    def __init__(self, tasks: Sequence[Task], done: Collection[str] = ()) -> None:
        """done: keys of tasks that need not run."""
        self._tasks = {task.key: task for task in tasks if task.key not in done}
        self._number = {key: number for number, key in enumerate(self._tasks)}
        self._waits_for = {key: {need for need in task.needs if need in self._tasks} for key, task in self._items()}
        self._unlocks: dict[str, list[str]] = defaultdict(list)
        for key, needs in self._waits_for.items():
            for need in needs:
                self._unlocks[need].append(key)
        self._looked: tuple[str, ...] = ()
        self._raised: dict[str, int] = {}
        self._ready = [self._entry(key) for key, needs in self._waits_for.items() if not needs]
        heapq.heapify(self._ready)
        self.left = len(self._tasks)

    def look_at(self, layers: Sequence[str]) -> None:
        """The layers on people's screens, the latest first."""
        if tuple(layers) == self._looked:
            return
        self._looked = tuple(layers)
        self._raised = {}
        for place, layer in enumerate(reversed(layers), start=1):
            for key, task in self._items():
                if task.layer == layer:
                    self._raise(key, ON_SCREEN * place)
        self._ready = [self._entry(key) for _priority, _number, key in self._ready]
        heapq.heapify(self._ready)

    def take(self) -> Task | None:
        """The task to run next; None while all that is left waits for others, or nothing is left."""
        return self._tasks[heapq.heappop(self._ready)[2]] if self._ready else None

    def task(self, key: str) -> Task:
        return self._tasks[key]

    def put_back(self, task: Task) -> None:
        """A task that was taken and did not come to an end."""
        heapq.heappush(self._ready, self._entry(task.key))

    def settle(self, key: str) -> None:
        """A task came to its end, well or not: what waited for it may run, and says itself what is missing."""
        self.left -= 1
        for other in self._unlocks.pop(key, ()):
            self._waits_for[other].discard(key)
            if not self._waits_for[other]:
                heapq.heappush(self._ready, self._entry(other))

    def priority(self, task: Task) -> int:
        """The task's own, and what it was raised by because somebody looks at it."""
        return task.priority + self._raised.get(task.key, 0)

    def _items(self) -> Collection[tuple[str, Task]]:
        return self._tasks.items()

    def _raise(self, key: str, by: int) -> None:
        self._raised[key] = by
        for need in self._waits_for[key]:
            if self._raised.get(need, 0) < by:
                self._raise(need, by)

    def _entry(self, key: str) -> tuple[int, int, str]:
        return -self.priority(self._tasks[key]), self._number[key], key
