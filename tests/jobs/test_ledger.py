from pathlib import Path
from typing import Any

import pytest

from analysis.jobs import ledger
from analysis.jobs.database import Unreachable
from analysis.jobs.ledger import Ledger
from analysis.jobs.table import Job, Jobs


class Flaky(Jobs):
    """A table whose database is away while `away` counts down."""

    away = 0

    def write(self, job_id: str, **values: Any) -> Job:
        if self.away:
            self.away -= 1
            raise Unreachable("The job table can not be reached.")
        return super().write(job_id, **values)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flaky:
    monkeypatch.setattr(ledger, "AGAIN", 0.01)
    return Flaky(f"sqlite:///{tmp_path / 'jobs.sqlite'}")


def test_while_the_database_is_away_work_goes_on_and_what_came_of_it_is_written_later(table: Flaky) -> None:
    table.submit("build", {})
    job = table.claim()
    assert job is not None
    book = Ledger(table)
    assert book.write(job, done=1).done == 1
    table.away = 4
    assert book.write(job, done=2).done == 1  # what was known last
    assert book.finish(job, "done", done=3).state == "done"
    assert (table.get(job.id).state, table.get(job.id).done) == ("done", 3)


def test_a_database_that_stays_away_does_not_hold_up_who_asked(table: Flaky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "PATIENCE", 0.05)
    table.submit("build", {})
    job = table.claim()
    assert job is not None
    table.away = 10**6
    told = Ledger(table).finish(job, "failed", "The disk is full.", result={"atlas": "net"})
    assert (told.state, told.error, told.result) == ("failed", "The disk is full.", {"atlas": "net"})
    assert table.get(job.id).state == "running"  # for the next engine
