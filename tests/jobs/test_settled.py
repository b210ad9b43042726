from dataclasses import replace

from analysis.atlas.settled import settled
from analysis.task import Task
from tests.jobs.test_agenda import MEASURE, PICTURES, PRIOR, STATISTICS, task

SHARD = replace(MEASURE, intermediate=True)
PLAN = [SHARD, *STATISTICS, PRIOR, *PICTURES]
MADE = {each.key for each in STATISTICS}


def test_an_intermediate_task_is_settled_when_all_that_reads_it_is_made() -> None:
    assert settled(PLAN, MADE) == MADE | {SHARD.key}
    assert settled(PLAN, MADE - {STATISTICS[1].key}) == MADE - {STATISTICS[1].key}


def test_what_is_not_intermediate_is_settled_by_its_artifact_alone() -> None:
    assert PRIOR.key not in settled(PLAN, {each.key for each in PICTURES})


def test_what_an_intermediate_task_of_another_one_reads_is_wanted_only_if_that_is() -> None:
    raw: Task = replace(task("raw"), intermediate=True)
    middle = replace(task("middle", needs=(raw,)), intermediate=True)
    last = task("last", needs=(middle,))
    assert settled([raw, middle, last], set()) == set()
    assert settled([raw, middle, last], {last.key}) == {raw.key, middle.key, last.key}
    assert settled([raw, middle, last], {middle.key}) == {raw.key, middle.key}
