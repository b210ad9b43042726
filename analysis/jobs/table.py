"""The job table: what was asked for and how far it is. Outlives browsers, engines and machines."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import JSON, Engine, String, create_engine, delete, event, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from analysis.clock import now
from analysis.errors import StrataError

Kind = Literal["build", "dream", "render"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
LOST_AFTER = timedelta(seconds=30)
"""A running job whose engine has not written for this long is taken up by another one."""

ON_SCREEN = 4
"""Layers looked at last that a build makes before the rest: as many people, or one who walks through them."""


class _Table(DeclarativeBase):
    pass


class _Row(_Table):
    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default="queued", index=True)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(default="")
    progress: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str | None] = mapped_column(default=None)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[str] = mapped_column(String(40), index=True)
    started: Mapped[str | None] = mapped_column(String(40), default=None)
    finished: Mapped[str | None] = mapped_column(String(40), default=None)
    heartbeat: Mapped[str | None] = mapped_column(String(40), default=None)
    cancel: Mapped[bool] = mapped_column(default=False)


class _Look(_Table):
    __tablename__ = "looks"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    atlas: Mapped[str] = mapped_column(String(255), index=True)
    layer: Mapped[str] = mapped_column(String(1024))


@dataclass(frozen=True)
class Job:
    """One row, as it was when it was read.

    done, total : tasks of a build, steps of a dream
    note        : what is being done now, for people
    progress    : further figures: layers_done, layers, channels_done, channels, seconds_left
    result      : where it led: {"atlas": id} or {"folder": path}
    cancel      : somebody asked to stop it
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

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class References:
    """models, jobs: ids · files: paths of images."""

    models: set[str]
    jobs: set[str]
    files: set[str]


class Jobs:
    """The job table at a database URL (SQLite or PostgreSQL), made there if it is not there yet."""

    def __init__(self, url: str) -> None:
        self._database = _connect(url)
        with _told():
            _Table.metadata.create_all(self._database)

    def submit(self, kind: Kind, request: Mapping[str, Any]) -> Job:
        """Ask for something. The same request that is still waiting or running is not filed twice."""
        with self._session() as session:
            for row in session.scalars(select(_Row).where(_Row.kind == kind, _Row.state.in_(("queued", "running")))):
                if row.request == dict(request) and not row.cancel:
                    return _job(row)
            row = _Row(id=uuid.uuid4().hex[:12], kind=kind, request=dict(request), created=now())
            session.add(row)
            session.commit()
            return _job(row)

    def get(self, job_id: str) -> Job:
        with self._session() as session:
            row = session.get(_Row, job_id)
            if row is None:
                raise StrataError(f"There is no job “{job_id}”. The jobs page lists those there are.")
            return _job(row)

    def recent(self, limit: int = 50) -> list[Job]:
        """Newest first."""
        with self._session() as session:
            return [_job(row) for row in session.scalars(select(_Row).order_by(_Row.created.desc()).limit(limit))]

    def unfinished(self) -> list[Job]:
        """Every job that waits or runs, oldest first."""
        with self._session() as session:
            rows = session.scalars(select(_Row).where(_Row.state.not_in(ENDED)).order_by(_Row.created))
            return [_job(row) for row in rows]

    def references(self) -> References:
        """What of the library the table refers to."""
        with self._session() as session:
            rows = [_job(row) for row in session.scalars(select(_Row))]
        needed = [job for job in rows if job.kind == "dream" or not job.ended]
        return References(
            models={job.request["model"] for job in needed if "model" in job.request},
            jobs={job.id for job in rows},
            files={job.request["image"] for job in needed if "image" in job.request},
        )

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop. One that nobody has begun stops here; a running one stops when its engine sees it."""
        with self._session() as session:
            session.execute(
                update(_Row).where(_Row.id == job_id, _Row.state.in_(("queued", "running"))).values(cancel=True)
            )
            ended = {"state": "cancelled", "finished": now()}
            session.execute(update(_Row).where(_Row.id == job_id, _Row.state == "queued").values(**ended))
            session.commit()

    def claim(self, job_id: str | None = None) -> Job | None:
        """Take the oldest waiting job (or the given one), or one whose engine was lost; None where there is none.

        No two engines get the same job: the row's state is changed only where it still is what was read.
        """
        lost = (datetime.now(UTC) - LOST_AFTER).isoformat(timespec="microseconds")
        waiting = (_Row.state == "queued") | ((_Row.state == "running") & (_Row.heartbeat < lost))
        wanted = waiting if job_id is None else waiting & (_Row.id == job_id)
        with self._session() as session:
            for row in session.scalars(select(_Row).where(wanted).order_by(_Row.created)).all():
                unchanged = (
                    (_Row.id == row.id)
                    & (_Row.state == row.state)
                    & (_Row.heartbeat.is_not_distinct_from(row.heartbeat))
                )
                taken = session.execute(
                    update(_Row).where(unchanged).values(state="running", started=now(), heartbeat=now())
                )
                session.commit()
                if taken.rowcount:  # type: ignore[attr-defined]
                    session.refresh(row)
                    return _job(row)
        return None

    def look_at(self, atlas_id: str, layer: str) -> None:
        """Say that this layer is on somebody's screen now: a build of the atlas makes it before the rest."""
        with self._session() as session:
            session.execute(delete(_Look).where(_Look.atlas == atlas_id, _Look.layer == layer))
            session.add(_Look(atlas=atlas_id, layer=layer))
            session.commit()

    def looked_at(self, atlas_id: str, most: int = ON_SCREEN) -> list[str]:
        """The layers of an atlas that were looked at last, the latest first."""
        with self._session() as session:
            latest = select(_Look.layer).where(_Look.atlas == atlas_id).order_by(_Look.number.desc()).limit(most)
            return list(session.scalars(latest))

    def write(self, job_id: str, **values: Any) -> Job:
        """Write a running job's progress; also its heartbeat. Returns the row, so that the writer sees `cancel`."""
        with self._session() as session:
            session.execute(update(_Row).where(_Row.id == job_id).values(heartbeat=now(), **values))
            session.commit()
            row = session.get(_Row, job_id)
            if row is None:
                raise StrataError(f"The job “{job_id}” was deleted while it ran. Ask for it again.")
            return _job(row)

    def finish(self, job_id: str, state: State, error: str | None = None, **values: Any) -> Job:
        return self.write(job_id, state=state, error=error, finished=now(), **values)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with _told(), Session(self._database, expire_on_commit=False) as session:
            yield session


def _job(row: _Row) -> Job:
    return Job(**{name: getattr(row, name) for name in Job.__dataclass_fields__})


def _connect(url: str) -> Engine:
    database = create_engine(url, pool_pre_ping=True)
    if database.dialect.name == "sqlite":

        @event.listens_for(database, "connect")
        def _wait_for_others(connection: Any, _record: Any) -> None:
            # Readers and one writer side by side; a writer waits for another one instead of failing at once.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA busy_timeout=10000")

    return database


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StrataError(
            f"The job table can not be reached ({error.orig}). Check the library's disk or the database URL."
        ) from error
