"""A command's job where other engines are at work too; what an engine does is played here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from analysis.atlas.library import Library
from analysis.cli import _end
from analysis.errors import StrataError
from analysis.jobs import local
from analysis.jobs.cluster import Hands
from analysis.jobs.local import build_here
from analysis.jobs.table import Job, Jobs
from tests.jobs.test_table import owned_by

REQUEST = {"model": "net-12345678", "techniques": {"features": {}}}
Play = Callable[[Job], Job]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def jobs(library: Library, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setattr(local, "BEAT", 0.01)
    monkeypatch.setattr(local, "cluster", lambda *_: nullcontext())
    monkeypatch.setattr(local, "_user", lambda: "Ada")
    return Jobs(library.database_url)


def played_by(monkeypatch: pytest.MonkeyPatch, play: Play) -> None:
    class Player:
        def __init__(self, *_: object) -> None:
            pass

        def run(self, job: Job, watch: Callable[[Job], None]) -> Job:
            return play(job)

    monkeypatch.setattr(local, "Engine", Player)


def test_a_build_that_another_engine_took_is_watched_to_its_end(
    library: Library, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def taken(job: Job) -> Job:
        owned_by(jobs, "elsewhere/1/0.00")
        return job

    def read(self: Jobs, job_id: str) -> Job:
        seen.append("watched")
        if len(seen) == 3:
            owned_by(jobs, "elsewhere/1/0.00", state="done")
        return get(self, job_id)

    get = Jobs.get
    monkeypatch.setattr(Jobs, "get", read)
    played_by(monkeypatch, taken)
    assert build_here(library, REQUEST, Hands(1)).state == "done"
    assert len(seen) == 3


@pytest.mark.parametrize("state", ["failed", "cancelled", "running", "queued"])
def test_only_a_build_that_is_done_ends_well(state: str) -> None:
    _end("done", None)
    with pytest.raises(StrataError):
        _end(state, None)


@pytest.mark.parametrize(("others", "state"), [(("Bert",), "queued"), ((), "cancelled")])
def test_who_presses_ctrl_c_stops_the_job_for_nobody_else(
    library: Library, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...], state: str
) -> None:
    def interrupted(job: Job) -> Job:
        for name in others:
            jobs.submit("build", job.request, name)
        raise KeyboardInterrupt

    played_by(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_here(library, REQUEST, Hands(1))
    (job,) = jobs.recent()
    assert job.state == state
    assert (job.asked_by == "Bert") == bool(others)
