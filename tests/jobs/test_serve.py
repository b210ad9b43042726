"""What an engine takes and when; what it makes of it is played here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.atlas.library import Library
from analysis.jobs import cluster
from analysis.jobs import engine as module
from analysis.jobs.cluster import Connection
from analysis.jobs.engine import Engine
from analysis.jobs.table import Job, Jobs


class Player(Engine):
    """Remembers what it was given to run; builds last until `may_end`."""

    def __init__(self, library: Library) -> None:
        super().__init__(library, SimpleNamespace(scheduler=None))  # type: ignore[arg-type]
        self.begun: list[Job] = []
        self.may_end = threading.Event()

    def run(self, job: Job, watch: Callable[[Job], None] = lambda job: None) -> Job:
        self.begun.append(job)
        if job.kind == "build":
            self.may_end.wait(60)
        return self.jobs.finish(job.id, "done")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Player:
    monkeypatch.setattr(module, "BEAT", 0.01)
    return Player(Library(tmp_path))


@contextmanager
def serving(engine: Player) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=engine.serve, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        engine.may_end.set()
        stop.set()
        thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def test_however_many_builds_run_a_dream_does_not_wait(engine: Player) -> None:
    builds = [engine.jobs.submit("build", {"number": number}).id for number in range(9)]
    with serving(engine):
        wait_for(lambda: len(engine.begun) == 6)
        for kind in ("dream", "look", "render"):
            asked = engine.jobs.submit(kind, {"of": kind})
            wait_for(lambda job=asked: engine.jobs.get(job.id).state == "done")
        assert [job.id for job in engine.begun if job.kind == "build"] == builds[:6]
        engine.may_end.set()
        wait_for(lambda: all(engine.jobs.get(each).state == "done" for each in builds))


def test_an_engine_does_not_take_the_job_that_it_runs_however_long_it_writes_nothing(engine: Player) -> None:
    engine.jobs = Jobs(engine.library.database_url, lost_after=timedelta(seconds=0.1))
    engine.jobs.submit("build", {})
    with serving(engine):
        wait_for(lambda: len(engine.begun) == 1)
        time.sleep(0.5)
    assert len(engine.begun) == 1


def test_a_scheduler_that_is_gone_is_not_tried_at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def gone(address: str, **_: Any) -> None:
        tries.append(address)
        raise OSError("nobody listens")

    def away(status: str) -> Any:
        return SimpleNamespace(status=status, scheduler=SimpleNamespace(address="tcp://there:8786"))

    monkeypatch.setattr(cluster, "Client", gone)
    connection = Connection(away("closed"))
    for _ in range(10):
        assert "does not answer" in connection.trouble()["note"]
    assert tries == ["tcp://there:8786"]
    connection._not_before = 0  # after a while
    monkeypatch.setattr(cluster, "Client", lambda address, **_: away("running"))
    assert connection.client() is not None
