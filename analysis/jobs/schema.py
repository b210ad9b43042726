"""The tables of the job database. Every change here is a migration beside it (analysis/jobs/migrations)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    pass


class JobRow(Table):
    """wanted: a hash of kind and request, unique while the job is neither ended nor cancelled · engine: whose it is."""

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
    asked_by: Mapped[str] = mapped_column(default="", server_default="")
    engine: Mapped[str | None] = mapped_column(String(255), default=None)
    wanted: Mapped[str | None] = mapped_column(String(64), default=None, unique=True, index=True)


class LookRow(Table):
    __tablename__ = "looks"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    atlas: Mapped[str] = mapped_column(String(255), index=True)
    layer: Mapped[str] = mapped_column(String(1024))
