"""Tasks on real worker processes that do what tasks do at their worst."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from distributed import Client, Future

from analysis.jobs.agenda import Agenda
from analysis.jobs.cluster import Connection, cluster
from analysis.jobs.waves import KILLED, Waves
from analysis.jobs.worker import Outcome
from analysis.task import Task
from tests.jobs.test_agenda import task

MEMORY = 1200
"""MiB of each worker."""


def work(folder: str, facts: dict) -> Outcome:
    """What the task's technique says: sleep, grow beyond memory, or kill its process always or the first time."""
    done = Task.from_json(facts)
    runs = Path(folder) / done.technique
    with runs.open("a") as log:
        log.write(f"{done.layer}\n")
    if done.technique == "murderous" or (done.technique == "unlucky" and len(runs.read_text().splitlines()) == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if done.technique == "greedy":
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(2**20) * 16))
            time.sleep(0.01)
    time.sleep(0.1)
    return Outcome(done.key, "done", 0.1)


def submit(folder: Path, client: Client, each: Task, priority: int, attempt: int) -> Future:
    key = f"{each.key}-{attempt}-{folder.name}"
    return client.submit(work, str(folder), each.to_json(), key=key, priority=priority, pure=False)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with cluster(workers=2, memory=f"{MEMORY}MiB") as client:
        yield client


def outcomes(
    client: Client, folder: Path, tasks: list[Task], beat: Callable[[], None] = lambda: None
) -> dict[str, Outcome]:
    """technique → outcome."""
    waves = Waves(Agenda(tasks), Connection(client), partial(submit, folder))
    found = {outcome.key: outcome for outcome in waves.run(beat)}
    return {each.technique: found[each.key] for each in tasks}


@pytest.mark.slow
def test_a_task_that_kills_its_worker_is_tried_once_more_alone_and_all_else_completes(
    client: Client, tmp_path: Path
) -> None:
    bystanders = [task(f"bystander {number}") for number in range(8)]
    dependent = task("dependent", needs=(task("murderous", priority=9),))
    plan = [task("murderous", priority=9), task("unlucky", priority=9), *bystanders, dependent]
    found = outcomes(client, tmp_path, plan)
    assert (found["murderous"].state, found["murderous"].reason) == ("failed", KILLED)
    assert len((tmp_path / "murderous").read_text().splitlines()) == 2
    for each in plan[1:]:
        assert found[each.technique].state == "done"


@pytest.mark.slow
def test_a_task_that_outgrows_its_workers_memory_fails_and_all_else_completes(client: Client, tmp_path: Path) -> None:
    found = outcomes(client, tmp_path, [task("greedy", priority=9), *(task(f"bystander {n}") for n in range(4))])
    assert (found.pop("greedy").reason) == KILLED
    assert {each.state for each in found.values()} == {"done"}


def test_what_somebody_looks_at_is_next(client: Client, tmp_path: Path) -> None:
    layers = [f"conv{number}" for number in range(40)]
    tasks = [task("features", layer, priority=50) for layer in layers]
    agenda = Agenda(tasks)
    waves = Waves(agenda, Connection(client), partial(submit, tmp_path))
    order: list[str] = []
    by_key = {each.key: str(each.layer) for each in tasks}
    for outcome in waves.run(lambda: agenda.look_at(["conv39"] if len(order) >= 4 else [])):
        order.append(by_key[outcome.key])
    assert sorted(order) == sorted(layers)
    # at most what was given out already comes before it, and what is done within one beat of half a second
    assert order.index("conv39") < 25


def test_when_told_to_stop_nothing_more_is_given_out(client: Client, tmp_path: Path) -> None:
    waves = Waves(Agenda([task(f"t{n}") for n in range(60)]), Connection(client), partial(submit, tmp_path))
    done = []
    for outcome in waves.run(lambda: None):
        done.append(outcome)
        waves.stop()
    assert 1 <= len(done) <= 12
