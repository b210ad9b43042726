import pytest

from analysis.jobs.progress import DOING, Tally
from analysis.jobs.worker import Outcome
from analysis.task import Task
from analysis.techniques import techniques


def task(technique: str, layer: str | None, channels: tuple[int, int] | None = None) -> Task:
    return Task(technique, 1, "0" * 64, layer=layer, channels=channels)


TASKS = [
    task("prior", None),
    task("statistics", "conv1"),
    task("features", "conv1", (0, 16)),
    task("features", "conv1", (16, 20)),
    task("features", "conv2", (0, 8)),
]


def test_layers_and_channels_are_counted_as_people_count_them() -> None:
    tally = Tally(TASKS, workers=2)
    for each in (TASKS[0], TASKS[1], TASKS[2], TASKS[4]):
        tally.add(Outcome(each.key, "done", 1.0))
    row = tally.row()
    assert (row["done"], row["total"]) == (4, 5)
    figures = row["progress"]
    assert (figures["layers_done"], figures["layers"]) == (1, 2)  # conv1 still lacks channels 16 to 19
    assert (figures["channels_done"], figures["channels"]) == (24, 28)


def test_an_output_is_no_layer_and_its_classes_are_no_channels() -> None:
    tally = Tally(
        [*TASKS, task("features", "output", (0, 12)), task("circuits", "output")], workers=2, heads=["output"]
    )
    figures = tally.row()["progress"]
    assert (figures["layers"], figures["channels"]) == (2, 28)


def test_what_is_being_done_is_said_in_plain_words() -> None:
    tally = Tally(TASKS, workers=2)
    assert tally.row()["note"] == ""
    tally.add(Outcome(TASKS[0].key, "done", 1.0))
    assert tally.row()["note"] == "learning what images look like"
    tally.add(Outcome(TASKS[2].key, "done", 1.0))
    assert tally.row()["note"] == "drawing pictures: conv1"
    assert DOING.keys() == techniques().keys()


def test_the_time_left_is_what_each_techniques_tasks_took_shared_by_the_workers() -> None:
    tally = Tally(TASKS, workers=2)
    assert tally.seconds_left() is None
    tally.add(Outcome(TASKS[0].key, "done", 2.0))
    assert tally.seconds_left() is None  # nothing is known of the pictures, which take longest
    tally.add(Outcome(TASKS[2].key, "done", 10.0))
    # left: two features of 10 s, one statistics of which nothing is known but the median of 2 and 10
    assert tally.seconds_left() == pytest.approx((10 + 10 + 6) / 2)


def test_what_also_opened_the_model_says_how_long_others_take_only_while_there_are_none() -> None:
    tally = Tally(TASKS, workers=1)
    tally.add(Outcome(TASKS[2].key, "done", 30.0, cold=True))
    assert tally.seconds_left() == pytest.approx(4 * 30)
    tally.add(Outcome(TASKS[3].key, "done", 2.0))
    assert tally.seconds_left() == pytest.approx(3 * 2)


def test_tasks_whose_artifact_was_there_say_nothing_about_time() -> None:
    tally = Tally(TASKS, workers=1)
    tally.add(Outcome(TASKS[2].key, "done", 0.0))
    assert tally.seconds_left() is None


def test_failures_are_counted_and_the_first_one_told() -> None:
    tally = Tally(TASKS, workers=1)
    assert tally.error() is None
    tally.add(Outcome(TASKS[1].key, "failed", 1.0, "no memory"))
    tally.add(Outcome(TASKS[2].key, "failed", 1.0, "another"))
    assert tally.error() == "2 of 5 tasks failed; the first: no memory"
