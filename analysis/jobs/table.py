"""The job table: what was asked for and how far it is. Outlives browsers, engines and machines."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from analysis.clock import now
from analysis.errors import StrataError
from analysis.jobs.database import connect, told
from analysis.jobs.owner import has_died, this_process
from analysis.jobs.request import meant
from analysis.jobs.schema import JobRow, LookRow

Kind = Literal["build", "dream", "render", "look"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
LOST_AFTER = timedelta(seconds=30)
"""A running job whose engine has not written for this long is taken up by another one."""

ON_SCREEN = 4
"""Layers looked at last that a build makes before the rest: as many people, or one who walks through them."""


@dataclass(frozen=True)
class Job:
    """One row, as it was when it was read.

    done, total : tasks of a build, steps of a dream
    note        : what is being done now, for people
    progress    : further figures: layers_done, layers, channels_done, channels, seconds_left; layer, the one worked on
                  last; techniques, of each what is done and how many there are
    result      : where it led: {"atlas": id}, {"folder": path} or {"look": key}
    cancel      : somebody asked to stop it
    asked_by    : names of those who asked for it
    engine      : the process that has it, as jobs/owner.py names it
    """

    id: str
    kind: Kind
    request: Mapping[str, Any]
    state: str
    done: int
    total: int
    note: str
    error: str | None
    created: str
    started: str | None
    finished: str | None
    heartbeat: str | None
    cancel: bool
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    asked_by: str = ""
    engine: str | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def pictured(self) -> bool:
        """Whether a build has drawn pictures: before, neither layers nor channels tell how far it is."""
        done, _total = self.progress.get("techniques", {}).get("features", (0, 0))
        return bool(done)


@dataclass(frozen=True)
class References:
    """models, files: ids, and paths of images, that a job waits for · jobs: ids · looks: each one's key and the path of
    its image, by whose content it is found again; empty for an image of a probe."""

    models: set[str]
    jobs: set[str]
    looks: Mapping[str, str]
    files: set[str]


class Taken(StrataError):
    """A job that this process ran is another engine's now."""


class Jobs:
    """The job table at a database URL (SQLite or PostgreSQL), made there if it is not there yet."""

    def __init__(self, url: str, lost_after: timedelta = LOST_AFTER) -> None:
        self._database = connect(url)
        self._lost_after = lost_after.total_seconds()
        self._beats: dict[str, tuple[str | None, float]] = {}

    def submit(self, kind: Kind, request: Mapping[str, Any], asked_by: str = "") -> Job:
        """Ask for something. The same that is still waiting or running, in whatever words, is not filed twice: all who
        ask get one job."""
        wanted = _hash_of(kind, request)
        while True:
            with self._session() as session:
                row = session.scalars(select(JobRow).where(JobRow.wanted == wanted)).first()
                if row is None:
                    row = JobRow(id=uuid.uuid4().hex[:12], kind=kind, request=dict(request), created=now())
                    row.wanted, row.asked_by = wanted, asked_by
                    session.add(row)
                elif joins := _joins(row, request, asked_by):
                    as_read = (JobRow.id == row.id) & (JobRow.asked_by == row.asked_by)
                    joined = session.execute(update(JobRow).where(as_read).values(**joins))
                    if not joined.rowcount:  # type: ignore[attr-defined]
                        continue  # somebody else was added in this moment
                try:
                    session.commit()
                except IntegrityError:
                    continue  # somebody else filed it in this moment
                return _job(row)

    def get(self, job_id: str) -> Job:
        with self._session() as session:
            row = session.get(JobRow, job_id)
            if row is None:
                raise StrataError(f"There is no job “{job_id}”. The jobs page lists those there are.")
            return _job(row)

    def recent(self, limit: int = 50) -> list[Job]:
        """Newest first."""
        with self._session() as session:
            return [_job(row) for row in session.scalars(select(JobRow).order_by(JobRow.created.desc()).limit(limit))]

    def unfinished(self) -> list[Job]:
        """Every job that waits or runs, oldest first."""
        with self._session() as session:
            rows = session.scalars(select(JobRow).where(JobRow.state.not_in(ENDED)).order_by(JobRow.created))
            return [_job(row) for row in rows]

    def references(self) -> References:
        """What of the library the table refers to. A job that ended needs its model and its image no more."""
        with self._session() as session:
            rows = [_job(row) for row in session.scalars(select(JobRow))]
        waiting = [job for job in rows if not job.ended]
        return References(
            models={job.request["model"] for job in waiting if "model" in job.request},
            jobs={job.id for job in rows},
            looks={job.result["look"]: job.request.get("image") or "" for job in rows if "look" in job.result},
            files={job.request[name] for job in waiting for name in ("image", "images") if job.request.get(name)},
        )

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop. One that nobody has begun, or whose engine was lost, stops here; one that runs stops when
        its engine sees it."""
        with self._session() as session:
            here = update(JobRow).where(JobRow.id == job_id, JobRow.state.not_in(ENDED))
            session.execute(here.values(cancel=True, wanted=None))
            session.commit()
            row = session.get(JobRow, job_id)
            if row is not None and (row.state == "queued" or self.lost(_job(row))):
                session.execute(update(JobRow).where(_unchanged(row)).values(state="cancelled", finished=now()))
                session.commit()

    def leave(self, job_id: str, name: str) -> None:
        """One of those who asked waits no more, and this process runs the job no more.

        For the others' sake it goes on: what ran here waits for another engine. With nobody left it is cancelled.
        """
        while not (job := self.get(job_id)).ended:
            mine = job.state == "running" and job.engine == this_process()
            others = [each for each in job.asked_by.split(", ") if each not in ("", name)]
            if mine and (job.cancel or not others):
                self.finish(job_id, "cancelled", cancel=True)
                return
            if not others:  # another engine has it
                return
            left = {"asked_by": ", ".join(others), **({"state": "queued", "engine": None, "note": ""} if mine else {})}
            as_read = (JobRow.asked_by == job.asked_by) & JobRow.engine.is_not_distinct_from(job.engine)
            with self._session() as session:
                written = session.execute(update(JobRow).where(JobRow.id == job_id, as_read).values(**left))
                session.commit()
            if written.rowcount:  # type: ignore[attr-defined]
                return

    def claim(self, job_id: str | None = None, builds: bool = True, but: Collection[str] = ()) -> Job | None:
        """Take the job whose turn it is (or the given one), or one whose engine was lost; None where there is none.

        What a person waits for at the screen goes before builds, and these before builds marked `later`; then the
        oldest first. No two engines get the same job: the row is changed only where it still is what was read.

        builds : False takes none · but : jobs not to take, those that the caller runs: slow to write, they are not lost
        """
        with self._session() as session:
            unfinished = (
                select(JobRow).where(JobRow.state.not_in(ENDED), JobRow.id.not_in(but)).order_by(JobRow.created)
            )
            if job_id is not None:
                unfinished = unfinished.where(JobRow.id == job_id)
            if not builds:
                unfinished = unfinished.where(JobRow.kind != "build")
            for row in sorted(session.scalars(unfinished), key=_turn):
                if row.state == "running" and not self.lost(_job(row)):
                    continue
                mine = {"state": "running", "started": now(), "heartbeat": now(), "engine": this_process()}
                taken = session.execute(update(JobRow).where(_unchanged(row)).values(**mine))
                session.commit()
                if taken.rowcount:  # type: ignore[attr-defined]
                    session.refresh(row)
                    return _job(row)
        return None

    def lost(self, job: Job) -> bool:
        """Whether a job runs no more although it says so: its engine is gone from this machine, or its heartbeat has
        stood still for as long as `lost_after`.

        By this process's own clock: the time of day may be set back, and differs from machine to machine. So who would
        know it of another machine asks again, for that long.
        """
        if job.state != "running":
            return False
        if has_died(job.engine):
            return True
        beat, since = self._beats.get(job.id, (None, 0.0))
        if beat != job.heartbeat:
            self._beats[job.id] = (job.heartbeat, time.monotonic())
            return False
        return time.monotonic() - since > self._lost_after

    def look_at(self, atlas_id: str, layer: str) -> None:
        """Say that this layer is on somebody's screen now: a build of the atlas makes it before the rest."""
        with self._session() as session:
            session.execute(delete(LookRow).where(LookRow.atlas == atlas_id, LookRow.layer == layer))
            session.add(LookRow(atlas=atlas_id, layer=layer))
            session.commit()

    def looked_at(self, atlas_id: str, most: int = ON_SCREEN) -> list[str]:
        """The layers of an atlas that were looked at last, the latest first."""
        with self._session() as session:
            latest = select(LookRow.layer).where(LookRow.atlas == atlas_id).order_by(LookRow.number.desc()).limit(most)
            return list(session.scalars(latest))

    def write(self, job_id: str, **values: Any) -> Job:
        """Write a running job's progress; also its heartbeat. Returns the row, so that the writer sees `cancel`.

        Raises Taken where another engine has the job by now: two never write one row.
        """
        with self._session() as session:
            own = (JobRow.id == job_id) & (JobRow.engine.is_(None) | (JobRow.engine == this_process()))
            written = session.execute(update(JobRow).where(own).values(heartbeat=now(), **values))
            session.commit()
            row = session.get(JobRow, job_id)
            if row is None:
                raise Taken(f"The job “{job_id}” was deleted while it ran. Ask for it again.")
            if not written.rowcount:  # type: ignore[attr-defined]
                raise Taken(f"The job “{job_id}” is another engine's by now. It goes on there.")
            return _job(row)

    def finish(self, job_id: str, state: State, error: str | None = None, **values: Any) -> Job:
        return self.write(job_id, state=state, error=error, finished=now(), wanted=None, **values)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with told(), Session(self._database, expire_on_commit=False) as session:
            yield session


def _joins(row: JobRow, request: Mapping[str, Any], asked_by: str) -> dict[str, Any]:
    """What changes in a job when somebody asks for it too."""
    joins: dict[str, Any] = {}
    if asked_by not in row.asked_by.split(", "):
        joins["asked_by"] = ", ".join(filter(None, (row.asked_by, asked_by)))
    if row.request.get("later") and not request.get("later"):
        joins["request"] = dict(request)
    return joins


def _turn(row: JobRow) -> tuple[bool, bool]:
    return row.kind == "build", bool(row.request.get("later"))


def _unchanged(row: JobRow) -> ColumnElement[bool]:
    """That a row still is what was read: nobody took it, and its engine was not heard of."""
    beat = JobRow.heartbeat.is_not_distinct_from(row.heartbeat)
    return (JobRow.id == row.id) & (JobRow.state == row.state) & beat


def _job(row: JobRow) -> Job:
    return Job(**{name: getattr(row, name) for name in Job.__dataclass_fields__})


def _hash_of(kind: str, request: Mapping[str, Any]) -> str:
    canonical = json.dumps([kind, meant(kind, request)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
