"""The engine: takes jobs from the table, runs their tasks on Dask, writes how far they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from distributed import Client, Future, KilledWorker, as_completed

from analysis.atlas.files import write_atomically
from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.dreaming import dream_task, read_progress
from analysis.jobs.prepare import prepare, prepare_render
from analysis.jobs.progress import Tally
from analysis.jobs.request import BuildRequest, DreamRequest, RenderRequest
from analysis.jobs.table import Job, Jobs, State
from analysis.jobs.worker import Outcome, run_task
from analysis.task import Task

log = logging.getLogger(__name__)
BEAT = 0.5
"""Seconds between two looks at the table while a job runs."""
KILLED = "Its worker process was killed twice, most likely out of memory. Give the workers more, or a smaller size."
SOONER = 1000
"""Priority of what a person waits for at the screen (dreams, renders) over any build."""


class Engine:
    """Runs jobs of one library on one Dask cluster."""

    def __init__(self, library: Library, client: Client) -> None:
        self.library = library
        self.jobs = Jobs(library.database_url)
        self.client = client

    def serve(self, stop: Event, at_once: int = 8) -> None:
        """Take jobs until `stop` is set, several side by side, so that a dream does not wait for a build's end."""
        with ThreadPoolExecutor(at_once) as pool:
            running: set[Any] = set()
            while not stop.wait(BEAT):
                running = {job for job in running if not job.done()}
                while len(running) < at_once and (job := self._claim()) is not None:
                    running.add(pool.submit(self.run, job))

    def run(self, job: Job, watch: Callable[[Job], None] = lambda job: None) -> Job:
        """Run one claimed job to its end and return its row. What goes wrong is written there, not raised.

        watch : called with the row each time its progress is written
        """
        try:
            job = {"build": self._build, "dream": self._dream, "render": self._render}[job.kind](job, watch)
        except StrataError as error:
            job = self.jobs.finish(job.id, "failed", str(error))
        except Exception as error:
            log.exception("job %s", job.id)
            job = self.jobs.finish(job.id, "failed", f"Strata itself failed: {type(error).__name__}: {error}")
        watch(job)
        return job

    def _claim(self) -> Job | None:
        try:
            return self.jobs.claim()
        except StrataError as error:
            log.warning("%s", error)
            return None

    def _build(self, job: Job, watch: Callable[[Job], None]) -> Job:
        watch(self.jobs.write(job.id, note="opening the images"))
        return self._planned(job, watch, prepare, BuildRequest(**job.request))

    def _render(self, job: Job, watch: Callable[[Job], None]) -> Job:
        watch(self.jobs.write(job.id, note="drawing"))
        return self._planned(job, watch, prepare_render, RenderRequest(**job.request), sooner=SOONER)

    def _planned(
        self, job: Job, watch: Callable[[Job], None], planner: Callable[..., str], request: Any, sooner: int = 0
    ) -> Job:
        """Have a worker plan the request in its atlas, then run what was planned."""
        atlas_id = self._alone(
            job,
            self.client.submit(
                planner, str(self.library.root), request, key=f"prepare-{job.id}", priority=sooner, pure=False
            ),
        )
        if atlas_id is None:
            return self.jobs.finish(job.id, "cancelled")
        atlas = self.library.atlas(atlas_id)
        tasks = _last_plan(atlas.builds()[-1])
        tally = Tally(tasks, len(self.client.scheduler_info()["workers"]))
        watch(self.jobs.write(job.id, result={"atlas": atlas_id}, **tally.row()))
        by_key = {task.key: task for task in tasks}
        futures = self._submit(job, atlas_id, tasks, sooner)
        for outcome in self._outcomes(job, futures, lambda: watch(self.jobs.write(job.id, **tally.row()))):
            if outcome.reason == KILLED:
                atlas.artifacts.fail(by_key[outcome.key], KILLED)
            tally.add(outcome)
        state: State = "cancelled" if tally.cancelled else "failed" if tally.failed else "done"
        return self.jobs.finish(job.id, state, tally.error(), **tally.row())

    def _submit(self, job: Job, atlas_id: str, tasks: list[Task], sooner: int) -> dict[str, Future]:
        futures: dict[str, Future] = {}
        for task in tasks:
            futures[task.key] = self.client.submit(
                run_task,
                str(self.library.root),
                atlas_id,
                task.to_json(),
                job.id,
                *(futures[key] for key in task.needs),
                key=f"{task.technique}-{task.key}-{job.id}",
                priority=task.priority + sooner,
                pure=False,
            )
        return futures

    def _outcomes(self, job: Job, futures: dict[str, Future], beat: Callable[[], None]) -> Iterator[Outcome]:
        """The outcomes as they come; looks at the table between them and passes a wish to stop on to the workers."""
        key_of = {future: key for key, future in futures.items()}
        waiting = as_completed(list(futures.values()))
        cancelled = False
        while waiting.count():
            for future in waiting.next_batch(block=False):
                yield _outcome(key_of[future], future)
            beat()
            if not cancelled and self.jobs.get(job.id).cancel:
                cancelled = True
                self._sign_to_stop(job)
            time.sleep(BEAT)

    def _dream(self, job: Job, watch: Callable[[Job], None]) -> Job:
        request = DreamRequest(**job.request)
        folder = self.library.dream_folder(job.id)
        watch(self.jobs.write(job.id, note="opening the model", result={"folder": str(folder)}))
        future = self.client.submit(
            dream_task, str(self.library.root), job.id, request, key=f"dream-{job.id}", priority=SOONER, pure=False
        )

        def tell() -> None:
            watch(self.jobs.write(job.id, **read_progress(folder)))

        finished = self._alone(job, future, tell)
        return self.jobs.finish(job.id, "done" if finished else "cancelled", **read_progress(folder))

    def _alone(self, job: Job, future: Future, beat: Callable[[], None] = lambda: None) -> Any:
        """The result of a job's only task; None when the job was cancelled before it came."""
        while not future.done():
            if self.jobs.write(job.id).cancel:
                self._sign_to_stop(job)
            beat()
            time.sleep(BEAT)
        try:
            return future.result()
        except KilledWorker:
            raise StrataError(
                "The worker process was killed, most likely out of memory. Try a smaller image or model."
            ) from None

    def _sign_to_stop(self, job: Job) -> None:
        write_atomically(self.library.job_folder(job.id) / "cancel", b"")


def _last_plan(build: dict[str, Any]) -> list[Task]:
    return [Task.from_json(task) for task in build["tasks"]]


def _outcome(key: str, future: Future) -> Outcome:
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    error = future.exception() if future.status == "error" else None
    reason = KILLED if isinstance(error, KilledWorker) else f"{type(error).__name__}: {error}"
    return Outcome(key, "failed", 0.0, reason)
