"""The engine: takes jobs from the table, runs their tasks on Dask, writes how far they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from distributed import Client, Future, KilledWorker

from analysis.atlas.files import remove, write_atomically
from analysis.atlas.library import Library
from analysis.atlas.settled import settled
from analysis.errors import StrataError
from analysis.jobs.agenda import Agenda
from analysis.jobs.cluster import Connection
from analysis.jobs.dreaming import dream_task, read_progress
from analysis.jobs.ledger import Ledger
from analysis.jobs.looking import look_key, look_task
from analysis.jobs.prepare import prepare, prepare_render
from analysis.jobs.progress import Tally
from analysis.jobs.request import BuildRequest, DreamRequest, LookRequest, RenderRequest
from analysis.jobs.table import Job, Jobs, State, Taken
from analysis.jobs.waves import BEAT, KILLED, Waves
from analysis.jobs.worker import Outcome, run_task
from analysis.task import Task

log = logging.getLogger(__name__)
PATIENCE = 20.0
"""Seconds that a cancelled job waits for its only task to hear of it."""
LOST = ("cancelled", "lost")
"""A future's status when its scheduler went away."""
SOONER = 1000
"""Priority of what a person waits for at the screen (dreams, looks, renders) over any build."""


class Engine:
    """Runs jobs of one library on one Dask cluster."""

    def __init__(self, library: Library, client: Client) -> None:
        self.library = library
        self.jobs = Jobs(library.database_url)
        self._ledger = Ledger(self.jobs)
        self._cluster = Connection(client)
        self._stop = Event()

    def serve(self, stop: Event, at_once: int = 8, kept: int = 2) -> None:
        """Take jobs until `stop` is set, `at_once` side by side; the last `kept` are for what people wait for at the
        screen, so that a dream does not wait for a build's end.

        Those that run are let go then: their rows stay as they are, for the next engine to take up.
        """
        self._stop = stop
        with ThreadPoolExecutor(at_once) as pool:
            running: dict[Any, Job] = {}
            while not stop.wait(BEAT):
                for future in [future for future in running if future.done()]:
                    if error := future.exception():
                        log.error("the end of job %s could not be written", running[future].id, exc_info=error)
                    del running[future]
                while len(running) < at_once:
                    builds = sum(job.kind == "build" for job in running.values()) < at_once - kept
                    job = self._claim(builds, {job.id for job in running.values()})
                    if job is None:
                        break
                    running[pool.submit(self.run, job)] = job

    def run(self, job: Job, watch: Callable[[Job], None] = lambda job: None) -> Job:
        """Run one claimed job to its end and return its row. What goes wrong is written there, not raised.

        A job that another engine took meanwhile is returned as it was: not ended.

        watch : called with the row each time its progress is written
        """
        try:
            run = {"build": self._build, "dream": self._dream, "render": self._render, "look": self._look}[job.kind]
            job = run(job, watch)
        except Taken as taken:
            log.warning("%s", taken)
            return job
        except StrataError as error:
            job = self._ledger.finish(job, "failed", str(error))
        except Exception as error:
            log.exception("job %s", job.id)
            job = self._ledger.finish(job, "failed", f"Strata itself failed: {type(error).__name__}: {error}")
        watch(job)
        self._tidy(job)
        return job

    def _heed(self, job: Job) -> None:
        """Let a job go, as one that another engine took, where this one was told to end."""
        if self._stop.is_set():
            raise Taken(f"The job “{job.id}” is let go: this engine was told to end. The next one goes on with it.")

    def _tidy(self, job: Job) -> None:
        """The sign that a job was cancelled is of no use after its end."""
        try:
            remove(self.library.job_folder(job.id))
        except (OSError, StrataError) as error:
            log.warning("%s", error)

    def _claim(self, builds: bool, but: Collection[str]) -> Job | None:
        try:
            return self.jobs.claim(builds=builds, but=but)
        except StrataError as error:
            log.warning("%s", error)
            return None

    def _build(self, job: Job, watch: Callable[[Job], None]) -> Job:
        watch(self._ledger.write(job, note="opening the images"))
        request = BuildRequest(**job.request)
        return self._planned(job, watch, prepare, request, sooner=-SOONER if request.later else 0)

    def _render(self, job: Job, watch: Callable[[Job], None]) -> Job:
        watch(self._ledger.write(job, note="drawing"))
        return self._planned(job, watch, prepare_render, RenderRequest(**job.request), sooner=SOONER)

    def _planned(
        self,
        job: Job,
        watch: Callable[[Job], None],
        planner: Callable[..., tuple[str, str]],
        request: Any,
        sooner: int = 0,
    ) -> Job:
        """Have a worker plan the request in its atlas, then run what was planned and is not there."""
        planned = self._alone(job, planner, request, key=f"prepare-{job.id}", priority=sooner)
        if planned is None:
            return self._ledger.finish(job, "cancelled")
        atlas = self.library.atlas(planned[0])
        tasks = atlas.planned(planned[1])
        done = settled(tasks, atlas.artifacts.made(tasks))
        tally = Tally(tasks, self._cluster.workers(), atlas.model.heads)
        for key in done:
            tally.add(Outcome(key, "done"))
        agenda = Agenda(tasks, done)
        waves = Waves(agenda, self._cluster, partial(self._submit, job.id, atlas.id, sooner))
        unwritable = ""

        def far() -> dict[str, Any]:
            return {"result": {"atlas": atlas.id}, **tally.row()}

        def beat() -> None:
            self._heed(job)
            row = self._ledger.write(job, **{**far(), **self._cluster.trouble()})
            agenda.look_at(self._ledger.looked_at(atlas.id))
            if row.cancel:
                waves.stop()
                self._sign_to_stop(job)
            watch(row)

        for outcome in waves.run(beat):
            if outcome.state == "unwritable":
                unwritable = outcome.reason
                waves.stop()
                continue
            if outcome.reason == KILLED:
                atlas.artifacts.fail(agenda.task(outcome.key), KILLED)
            tally.add(outcome)
        if unwritable:
            return self._ledger.finish(job, "failed", unwritable, **far())
        state: State = "cancelled" if agenda.left or tally.cancelled else "failed" if tally.failed else "done"
        return self._ledger.finish(job, state, tally.error(), **far())

    def _submit(
        self, job_id: str, atlas_id: str, sooner: int, client: Client, task: Task, priority: int, attempt: int
    ) -> Future:
        return client.submit(
            run_task,
            str(self.library.root),
            atlas_id,
            task.to_json(),
            job_id,
            key=f"{task.technique}-{task.key}-{job_id}-{attempt}",
            priority=priority + sooner,
            pure=False,
        )

    def _dream(self, job: Job, watch: Callable[[Job], None]) -> Job:
        folder, request = self.library.dream_folder(job.id), DreamRequest(**job.request)
        return self._told(job, watch, dream_task, request, progress=folder, result={"folder": str(folder)})

    def _look(self, job: Job, watch: Callable[[Job], None]) -> Job:
        request = LookRequest(**job.request)
        result = {"look": look_key(self.library, request)}
        folder = self.library.job_folder(job.id)
        return self._told(job, watch, look_task, request, progress=folder, result=result)

    def _told(
        self,
        job: Job,
        watch: Callable[[Job], None],
        function: Callable[..., bool],
        request: Any,
        *,
        progress: Path,
        result: Mapping[str, Any],
    ) -> Job:
        """Run a job that is one task, which tells in the folder `progress` how far it is."""
        watch(self._ledger.write(job, note="opening the model", result=result))

        def tell() -> None:
            watch(self._ledger.write(job, **read_progress(progress)))

        key = f"{job.kind}-{job.id}"
        finished = self._alone(job, function, job.id, request, key=key, priority=SOONER, beat=tell)
        return self._ledger.finish(job, "done" if finished else "cancelled", **read_progress(progress))

    def _alone(
        self,
        job: Job,
        function: Callable[..., Any],
        *arguments: Any,
        key: str,
        priority: int,
        beat: Callable[[], None] = lambda: None,
    ) -> Any:
        """The result of a job's only task; None when the job was cancelled before it came.

        A task whose worker died is run once more: one that was killed by chance has nothing to do with it.
        """
        attempt, future, gone, killed = 0, None, 0.0, False
        while True:
            if future is not None and future.done() and future.status not in LOST:
                try:
                    return future.result()
                except KilledWorker:
                    if killed:
                        raise StrataError(KILLED) from None
                    killed, future = True, None
            client = self._cluster.client()
            if client is not None and (future is None or future.status in LOST):
                attempt += 1
                named = f"{key}-{attempt}"
                future = client.submit(
                    function, str(self.library.root), *arguments, key=named, priority=priority, pure=False
                )
            if self._ledger.write(job, **self._cluster.trouble()).cancel:
                self._sign_to_stop(job)
                gone = gone or time.monotonic()
                if future is None or time.monotonic() - gone > PATIENCE:
                    return None
            self._heed(job)
            beat()
            time.sleep(BEAT)

    def _sign_to_stop(self, job: Job) -> None:
        write_atomically(self.library.job_folder(job.id) / "cancel", b"")
