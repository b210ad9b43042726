import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from analysis.errors import StrataError
from analysis.jobs.table import Jobs, Taken

REQUEST = {"model": "net-12345678", "techniques": {"features": {}}}


@pytest.fixture
def jobs(database: str) -> Jobs:
    return Jobs(database)


def test_a_job_goes_from_queued_to_done_and_is_read_by_another_process_eye(jobs: Jobs, database: str) -> None:
    job = jobs.submit("build", REQUEST)
    assert job.state == "queued"
    claimed = jobs.claim()
    assert claimed is not None
    assert (claimed.id, claimed.state) == (job.id, "running")
    jobs.write(job.id, done=3, total=9, note="features of conv1", progress={"layers": 2})
    seen = Jobs(database).get(job.id)
    assert (seen.done, seen.total, seen.note, seen.progress) == (3, 9, "features of conv1", {"layers": 2})
    assert jobs.finish(job.id, "done", result={"atlas": "a"}).ended


def test_a_job_that_ended_holds_neither_its_model_nor_its_image(jobs: Jobs) -> None:
    dream = jobs.submit("dream", {"model": "net", "image": "/uploads/1.png", "layer": "conv1"})
    look = jobs.submit("look", {"model": "other", "image": "/uploads/2.png"})
    of_a_probe = jobs.submit("look", {"model": "other", "atlas": "other.0", "number": 3})
    build = jobs.submit("build", {**REQUEST, "images": "/uploads/images/1"})
    jobs.write(look.id, result={"look": "a1"})
    jobs.write(of_a_probe.id, result={"look": "b2"})
    refers = jobs.references()
    assert refers.models == {"net", "other", REQUEST["model"]}
    assert refers.files == {"/uploads/1.png", "/uploads/2.png", "/uploads/images/1"}
    for job in (dream, look, of_a_probe, build):
        jobs.finish(job.id, "done")
    refers = jobs.references()
    assert refers.models == refers.files == set()
    assert refers.jobs == {dream.id, look.id, of_a_probe.id, build.id}, "what they made is kept"
    assert refers.looks == {"a1": "/uploads/2.png", "b2": ""}


def test_the_same_request_is_one_job_while_it_is_not_ended(jobs: Jobs) -> None:
    first = jobs.submit("build", REQUEST)
    assert jobs.submit("build", REQUEST).id == first.id
    jobs.claim()
    assert jobs.submit("build", REQUEST).id == first.id
    jobs.finish(first.id, "done")
    assert jobs.submit("build", REQUEST).id != first.id


BUILD = {"model": "net-12345678", "images": "/real/images", "techniques": {"features": {}, "statistics": {}}}


@pytest.mark.parametrize(
    "other",
    [
        {"later": True},
        {"layers": None, "image_options": {}},
        {"image_options": {"seed": 0}},
        {"images": "/real/other/../images/"},
        {"techniques": {"statistics": {}, "features": {"seed": 0, "steps": 48}}},
    ],
)
def test_the_same_in_other_words_is_the_same_job(jobs: Jobs, other: dict[str, Any]) -> None:
    assert jobs.submit("build", {**BUILD, **other}).id == jobs.submit("build", BUILD).id
    assert not jobs.recent()[0].request.get("later"), "one of them wants it now"


@pytest.mark.parametrize(
    "other",
    [
        {"images": "/real/images2"},
        {"image_options": {"count": 5}},
        {"layers": ["conv1"]},
        {"techniques": {"features": {"seed": 1}, "statistics": {}}},
        {"techniques": {"features": {"steps": "many"}, "statistics": {}}},
        {"techniques": ["features"]},
    ],
)
def test_what_differs_is_another_job(jobs: Jobs, other: dict[str, Any]) -> None:
    assert jobs.submit("build", {**BUILD, **other}).id != jobs.submit("build", BUILD).id


def test_a_dream_with_a_default_written_out_is_the_same_dream(jobs: Jobs) -> None:
    dream = {"model": "net-12345678", "image": "/photo.png", "layer": "conv1"}
    asked = jobs.submit("dream", dream)
    assert jobs.submit("dream", {**dream, "strip": False, "parameters": {"octave_scale": 1.4}}).id == asked.id
    assert jobs.submit("dream", {**dream, "parameters": {"octave_scale": 1.5}}).id != asked.id


def test_no_two_engines_get_the_same_job(jobs: Jobs) -> None:
    asked = {jobs.submit("build", {"number": number}).id for number in range(12)}
    with ThreadPoolExecutor(6) as pool:
        claimed = [job.id for job in pool.map(lambda _: jobs.claim(), range(24)) if job is not None]
    assert sorted(claimed) == sorted(asked)


def test_what_somebody_waits_for_at_the_screen_goes_before_builds_and_builds_before_those_for_later(jobs: Jobs) -> None:
    later = jobs.submit("build", {"number": 0, "later": True})
    build = jobs.submit("build", {"number": 1})
    dream, look, render = (jobs.submit(kind, {}) for kind in ("dream", "look", "render"))
    taken = [jobs.claim(builds=False, but={look.id}) for _ in range(3)]
    assert [job and job.id for job in taken] == [dream.id, render.id, None]
    assert [job.id for job in iter(jobs.claim, None)] == [look.id, build.id, later.id]


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked_to_stop(jobs: Jobs) -> None:
    waiting = jobs.submit("build", {"number": 1})
    jobs.cancel(waiting.id)
    assert jobs.get(waiting.id).state == "cancelled"
    running = jobs.submit("build", {"number": 2})
    jobs.claim()
    jobs.cancel(running.id)
    assert jobs.get(running.id).state == "running"
    assert jobs.write(running.id).cancel


def test_people_who_ask_for_the_same_get_the_same_job(database: str) -> None:
    tables = [Jobs(database) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda n: tables[n % 4].submit("build", REQUEST, f"person {n % 3}").id, range(24)))
    assert len(set(asked)) == 1
    (job,) = tables[0].recent()
    assert sorted(job.asked_by.split(", ")) == ["person 0", "person 1", "person 2"]


def test_what_was_cancelled_is_asked_for_anew(jobs: Jobs) -> None:
    first = jobs.submit("build", REQUEST)
    jobs.claim()
    jobs.cancel(first.id)
    assert jobs.submit("build", REQUEST).id != first.id


def owned_by(jobs: Jobs, owner: str, **values: str) -> None:
    with jobs._database.begin() as connection:
        for name, value in {"engine": owner, **values}.items():
            connection.execute(text(f"UPDATE jobs SET {name} = :value WHERE state = 'running'"), {"value": value})


def engine_dies(jobs: Jobs) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    owned_by(jobs, f"{socket.gethostname()}/{gone.pid}/0.00")


def test_a_job_whose_engines_heart_stands_still_is_taken_up_whatever_the_time_of_day(database: str) -> None:
    jobs = Jobs(database, lost_after=timedelta(seconds=2))
    job = jobs.submit("build", REQUEST)
    jobs.claim()
    for then in ("1990-01-01T00:00:00.000000+00:00", "2190-01-01T00:00:00.000000+00:00"):  # a clock that was set
        owned_by(jobs, "elsewhere/1/0.00", heartbeat=then)
        assert jobs.claim() is None
        time.sleep(0.5)
        assert jobs.claim() is None
        time.sleep(2)
        again = jobs.claim()
        assert again is not None
        assert again.id == job.id


def test_an_engine_that_died_on_this_machine_is_missed_at_once(jobs: Jobs) -> None:
    job = jobs.submit("build", REQUEST)
    jobs.claim()
    assert jobs.claim() is None
    engine_dies(jobs)
    again = jobs.claim(job.id)
    assert again is not None


def test_a_job_whose_engine_died_is_cancelled_without_another_one(database: str) -> None:
    jobs = Jobs(database, lost_after=timedelta(seconds=2))
    here = jobs.submit("build", REQUEST)
    jobs.claim()
    engine_dies(jobs)
    jobs.cancel(here.id)
    assert (jobs.get(here.id).state, jobs.claim()) == ("cancelled", None)
    elsewhere = jobs.submit("build", REQUEST)
    jobs.claim()
    owned_by(jobs, "elsewhere/1/0.00")
    jobs.cancel(elsewhere.id)
    assert jobs.get(elsewhere.id).state == "running", "it may live"
    time.sleep(2.1)
    jobs.cancel(elsewhere.id)
    assert jobs.get(elsewhere.id).state == "cancelled"


def test_who_leaves_takes_a_job_from_nobody_else(jobs: Jobs) -> None:
    job = jobs.submit("build", REQUEST, "Ada")
    jobs.submit("build", REQUEST, "Bert")
    jobs.submit("build", REQUEST, "Cleo")
    jobs.claim()
    jobs.leave(job.id, "Ada")
    left = jobs.get(job.id)
    assert (left.state, left.cancel, left.asked_by) == ("queued", False, "Bert, Cleo")
    assert jobs.submit("build", REQUEST, "Dora").id == job.id, "it still is what is wanted"
    jobs.leave(job.id, "Dora")
    assert jobs.claim() is not None
    owned_by(jobs, "elsewhere/1/0.00")
    jobs.leave(job.id, "Bert")
    jobs.leave(job.id, "Cleo")
    assert jobs.get(job.id).state == "running", "another engine has it"


def test_who_leaves_alone_cancels_and_so_does_who_leaves_what_was_cancelled(jobs: Jobs) -> None:
    alone = jobs.submit("build", REQUEST, "Ada")
    jobs.claim()
    jobs.leave(alone.id, "Ada")
    assert jobs.get(alone.id).state == "cancelled"
    shared = jobs.submit("build", REQUEST, "Ada")
    jobs.submit("build", REQUEST, "Bert")
    jobs.claim()
    jobs.cancel(shared.id)
    jobs.leave(shared.id, "Ada")
    assert jobs.get(shared.id).state == "cancelled"


def test_an_engine_that_lost_its_job_writes_into_it_no_more(jobs: Jobs) -> None:
    job = jobs.submit("build", REQUEST)
    jobs.claim()
    owned_by(jobs, "elsewhere/1/0.00")
    with pytest.raises(Taken, match="another engine's"):
        jobs.write(job.id, done=5)
    with pytest.raises(Taken):
        jobs.finish(job.id, "done")
    assert (jobs.get(job.id).done, jobs.get(job.id).state) == (0, "running")


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
