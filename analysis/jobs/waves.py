"""A plan on a Dask cluster, a few tasks at a time: what comes next is decided when it comes next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from distributed import Client, Future, KilledWorker

from analysis.jobs.agenda import Agenda
from analysis.jobs.cluster import AWAY, Connection
from analysis.jobs.worker import Outcome
from analysis.task import Task

BEAT = 0.5
"""Seconds between two looks at the job table while a job runs."""
DEPTH = 2
"""Tasks a worker has at once: one that runs and one that waits, so that it is never idle while the next is chosen."""
KILLED = "Its worker process was killed twice, most likely out of memory. Give the workers more, or a smaller size."
Submit = Callable[[Client, Task, int, int], Future]
"""(client, task, priority, which attempt) → its future."""


class Waves:
    """Runs the tasks of an agenda.

    A task that was on a worker when this died is a suspect: suspects run one by one while nothing else does, and what
    kills its worker then has failed. A task whose scheduler went away is given out again when one is back.
    """

    def __init__(self, agenda: Agenda, cluster: Connection, submit: Submit) -> None:
        self._agenda, self._cluster, self._submit = agenda, cluster, submit
        self._running: dict[Future, Task] = {}
        self._arrived: SimpleQueue[Future] = SimpleQueue()
        self._suspects: list[Task] = []
        self._attempts: dict[str, int] = {}
        self._alone: str | None = None
        self._stopped = False

    def stop(self) -> None:
        """Give out nothing more; what runs comes to its end."""
        self._stopped = True

    def run(self, beat: Callable[[], None]) -> Iterator[Outcome]:
        """The outcomes as they come. beat: called about every BEAT seconds."""
        heard = -BEAT
        while self._running or (not self._stopped and self._agenda.left):
            if time.monotonic() - heard >= BEAT:
                heard = time.monotonic()
                beat()
            self._give_out()
            yield from filter(None, map(self._outcome, self._wait()))

    def _give_out(self) -> None:
        client, workers = self._cluster.client(), self._cluster.workers()
        if client is None or not workers or self._stopped or self._alone is not None:
            return
        if self._suspects:
            if not self._running:
                suspect = self._suspects.pop()
                self._alone = suspect.key
                self._start(client, suspect)
            return
        room = DEPTH * workers - len(self._running)
        while room > 0 and (task := self._agenda.take()) is not None:
            self._start(client, task)
            room -= 1

    def _start(self, client: Client, task: Task) -> None:
        attempt = self._attempts[task.key] = self._attempts.get(task.key, 0) + 1
        try:
            future = self._submit(client, task, self._agenda.priority(task), attempt)
        except AWAY:
            self._alone = None
            self._agenda.put_back(task)
            return
        self._running[future] = task
        future.add_done_callback(self._arrived.put)

    def _wait(self) -> list[Future]:
        """What has arrived; after BEAT seconds also nothing."""
        arrived: list[Future] = []
        try:
            arrived.append(self._arrived.get(timeout=BEAT))
            while True:
                arrived.append(self._arrived.get_nowait())
        except Empty:
            return arrived

    def _outcome(self, future: Future) -> Outcome | None:
        task = self._running.pop(future)
        alone, self._alone = self._alone is not None, None
        if future.status == "finished":
            outcome: Outcome = future.result()
        elif future.status != "error":  # cancelled or lost: its scheduler is gone
            self._agenda.put_back(task)
            return None
        else:
            error = future.exception()
            if isinstance(error, KilledWorker) and not alone:
                self._suspects.append(task)
                return None
            reason = KILLED if isinstance(error, KilledWorker) else f"{type(error).__name__}: {error}"
            outcome = Outcome(task.key, "failed", 0.0, reason)
        self._agenda.settle(task.key)
        return outcome
