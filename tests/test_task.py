from dataclasses import replace

import pytest

from analysis.task import Task

TASK = Task("features", 1, "ab" * 32, "cd" * 16, "conv1", (0, 16), parameters={"steps": 64}, needs=("e" * 32,))


def test_a_task_reads_back_from_its_json() -> None:
    assert Task.from_json(TASK.to_json()) == TASK
    assert Task.from_json(TASK.to_json()).key == TASK.key


@pytest.mark.parametrize(
    "change",
    [
        {"technique": "statistics"},
        {"version": 2},
        {"model": "ef" * 32},
        {"probe": None},
        {"layer": "conv2"},
        {"channels": (0, 8)},
        {"part": (0, 2)},
        {"parameters": {"steps": 65}},
        {"needs": ()},
    ],
)
def test_everything_a_result_depends_on_changes_the_key(change: dict) -> None:
    assert replace(TASK, **change).key != TASK.key


def test_when_it_runs_and_how_long_it_is_kept_do_not_change_the_key() -> None:
    assert replace(TASK, priority=7, intermediate=True).key == TASK.key
