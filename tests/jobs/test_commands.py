"""`strata jobs` and `strata cancel`, as a person types them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analysis.cli import app
from analysis.jobs.table import Jobs
from tests.jobs.test_table import engine_dies


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.delenv("STRATA_DATABASE", raising=False)
    monkeypatch.setenv("STRATA_LIBRARY", str(tmp_path))
    return Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}")


def strata(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def said(result: Result) -> str:
    return str(result.exception) if result.exception else result.output


def line_of(job_id: str) -> str:
    (line,) = [line for line in strata("jobs").output.splitlines() if job_id in line]
    return line


def test_jobs_are_listed_with_how_far_they_are_and_who_asked(jobs: Jobs) -> None:
    assert "No job waits or runs" in said(strata("jobs"))
    build = jobs.submit("build", {"model": "net-12345678"}, "Ada")
    jobs.claim()
    jobs.submit("build", {"model": "net-12345678"}, "Bert")
    waiting = jobs.submit("render", {"atlas": "other.images"})
    drawn = {"layers": 4, "layers_done": 1, "seconds_left": 80.0, "techniques": {"features": (1, 9)}}
    jobs.write(build.id, done=3, total=9, progress=drawn)
    for part in ("build", "net-12345678", "running", "33 %", "1/4 layers", "1 min 20 s left", "Ada, Bert"):
        assert part in line_of(build.id)
    for part in ("render", "other.images", "queued", "–"):
        assert part in line_of(waiting.id)
    jobs.cancel(build.id)
    assert "stopping" in line_of(build.id)
    engine_dies(jobs)
    assert "engine lost" in line_of(build.id)
    jobs.cancel(waiting.id)
    assert waiting.id not in strata("jobs", "--past", "0").output


def test_a_job_is_cancelled_without_an_engine_when_none_has_it_any_more(jobs: Jobs) -> None:
    lost, waiting = jobs.submit("build", {"number": 1}), jobs.submit("build", {"number": 2})
    jobs.claim(lost.id)
    engine_dies(jobs)
    for job in (lost, waiting):
        assert strata("cancel", job.id).output == f"{job.id} cancelled\n"
        assert jobs.get(job.id).state == "cancelled"
    assert "has ended already: cancelled" in said(strata("cancel", lost.id))
    assert "no job “nothing”" in said(strata("cancel", "nothing"))


def test_the_end_of_a_job_that_runs_is_waited_for(jobs: Jobs) -> None:
    job = jobs.submit("build", {"number": 1})
    jobs.claim()

    def engine() -> None:
        while not jobs.write(job.id).cancel:
            time.sleep(0.05)
        jobs.finish(job.id, "cancelled")

    running = threading.Thread(target=engine)
    running.start()
    assert strata("cancel", job.id).output == f"{job.id} cancelled\n"
    running.join()
