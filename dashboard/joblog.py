"""What happened to a job: when it was asked for, begun and ended, what was made and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analysis.errors import StrataError
from analysis.jobs.table import Job
from dashboard.atlases import failures_of
from dashboard.joblist import STATES
from dashboard.library import library

MOST_FAILURES = 20


@dataclass(frozen=True)
class Entry:
    """when: a time for people, empty for what has none."""

    when: str
    what: str


def log_of(job: Job) -> list[Entry]:
    """The log of a job, oldest first."""
    by = f" by {job.asked_by}" if job.asked_by else ""
    found = [Entry(at(job.created), f"Asked for{by}.")]
    if job.started:
        found.append(Entry(at(job.started), "Begun."))
    found += [Entry("", line) for line in _made(job)]
    found += [Entry("", line) for line in _failed(job)]
    if job.finished:
        found.append(Entry(at(job.finished), " ".join([f"{STATES[job.state].capitalize()}.", job.error or ""]).strip()))
    elif job.cancel:
        found.append(Entry("", "Asked to stop; what is being made now is waited for."))
    elif job.heartbeat:
        found.append(Entry(at(job.heartbeat), f"Last heard of{f' ({job.note})' if job.note else ''}."))
    return found


def asked(job: Job) -> list[tuple[str, str]]:
    """What was asked for, part by part; parts that were left to the default do not stand here."""
    said = {str(name): value for name, value in job.request.items() if value not in (None, "", {}, [], False)}
    return [(name, _written(value)) for name, value in said.items()]


def at(moment: str) -> str:
    """25 Nov, 09:12:03 UTC."""
    return f"{datetime.fromisoformat(moment):%-d %b, %H:%M:%S} UTC"


def _made(job: Job) -> list[str]:
    """What each technique made, in one line each."""
    counts = dict(job.progress.get("techniques") or {})
    return [f"{name}: {done} of {total} tasks done" for name, (done, total) in counts.items()]


def _failed(job: Job) -> list[str]:
    """What could not be made in the atlas, with the reason."""
    name = job.result.get("atlas")
    if not name:
        return []
    try:
        reasons = failures_of(library().atlas(str(name)))
    except StrataError:
        return ["Its atlas is not in the library any more."]
    return [f"Not made: {what}. {reason}" for reason, what in list(reasons.items())[:MOST_FAILURES]]


def _written(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(_part(str(name), inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _part(name: str, value: object) -> str:
    if isinstance(value, dict):
        return f"{name} ({_written(value)})" if value else name
    return f"{name} = {value}"
