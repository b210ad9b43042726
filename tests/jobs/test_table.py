from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from analysis.errors import StrataError
from analysis.jobs.table import LOST_AFTER, Jobs

REQUEST = {"model": "net-12345678", "techniques": {"features": {}}}


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}")


def test_a_job_goes_from_queued_to_done_and_is_read_by_another_process_eye(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.submit("build", REQUEST)
    assert job.state == "queued"
    claimed = jobs.claim()
    assert claimed is not None
    assert (claimed.id, claimed.state) == (job.id, "running")
    jobs.write(job.id, done=3, total=9, note="features of conv1", progress={"layers": 2})
    seen = Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}").get(job.id)
    assert (seen.done, seen.total, seen.note, seen.progress) == (3, 9, "features of conv1", {"layers": 2})
    assert jobs.finish(job.id, "done", result={"atlas": "a"}).ended


def test_the_same_request_is_one_job_while_it_is_not_ended(jobs: Jobs) -> None:
    first = jobs.submit("build", REQUEST)
    assert jobs.submit("build", REQUEST).id == first.id
    jobs.claim()
    assert jobs.submit("build", REQUEST).id == first.id
    jobs.finish(first.id, "done")
    assert jobs.submit("build", REQUEST).id != first.id


def test_no_two_engines_get_the_same_job(jobs: Jobs) -> None:
    asked = {jobs.submit("build", {"number": number}).id for number in range(12)}
    with ThreadPoolExecutor(6) as pool:
        claimed = [job.id for job in pool.map(lambda _: jobs.claim(), range(24)) if job is not None]
    assert sorted(claimed) == sorted(asked)


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked_to_stop(jobs: Jobs) -> None:
    waiting = jobs.submit("build", {"number": 1})
    jobs.cancel(waiting.id)
    assert jobs.get(waiting.id).state == "cancelled"
    running = jobs.submit("build", {"number": 2})
    jobs.claim()
    jobs.cancel(running.id)
    assert jobs.get(running.id).state == "running"
    assert jobs.write(running.id).cancel


def test_a_job_whose_engine_is_lost_is_taken_up_again(jobs: Jobs) -> None:
    job = jobs.submit("build", REQUEST)
    jobs.claim()
    assert jobs.claim() is None
    long_ago = (datetime.now(UTC) - LOST_AFTER - timedelta(seconds=1)).isoformat(timespec="microseconds")
    with jobs._database.begin() as connection:
        connection.execute(text("UPDATE jobs SET heartbeat = :then"), {"then": long_ago})
    again = jobs.claim()
    assert again is not None
    assert again.id == job.id


def test_the_layers_looked_at_last_come_first_and_each_once(jobs: Jobs) -> None:
    for layer in ("conv1", "conv2", "conv1", "conv3"):
        jobs.look_at("net.images", layer)
    jobs.look_at("other", "conv9")
    assert jobs.looked_at("net.images") == ["conv3", "conv1", "conv2"]
    assert jobs.looked_at("net.images", most=1) == ["conv3"]
    assert jobs.looked_at("nothing") == []


def test_an_unknown_job_and_an_unreachable_database_are_sentences(jobs: Jobs, tmp_path: Path) -> None:
    with pytest.raises(StrataError, match="no job “nothing”"):
        jobs.get("nothing")
    with pytest.raises(StrataError, match="can not be reached"):
        Jobs(f"sqlite:///{tmp_path / 'missing' / 'jobs.sqlite'}")
