from hypothesis import given
from hypothesis import strategies as st

from analysis.jobs.agenda import Agenda
from analysis.task import Task


def task(technique: str, layer: str | None = None, needs: tuple[Task, ...] = (), priority: int = 0) -> Task:
    return Task(technique, 1, "0" * 64, layer=layer, needs=tuple(need.key for need in needs), priority=priority)


MEASURE = task("measure", priority=100)
STATISTICS = [task("statistics", layer, (MEASURE,), 95) for layer in ("conv1", "conv2", "conv3")]
PRIOR = task("prior", priority=90)
PICTURES = [task("features", layer, (PRIOR,), 50 + place) for place, layer in enumerate(("conv1", "conv2", "conv3"))]
PLAN = [MEASURE, *STATISTICS, PRIOR, *PICTURES]


def order(agenda: Agenda) -> list[str]:
    """The tasks as one worker would do them."""
    done = []
    while (next_one := agenda.take()) is not None:
        done.append(f"{next_one.technique} {next_one.layer or ''}".strip())
        agenda.settle(next_one.key)
    return done


def test_a_plan_runs_by_priority_each_task_after_what_it_needs() -> None:
    assert order(Agenda(PLAN)) == [
        "measure", "statistics conv1", "statistics conv2", "statistics conv3", "prior",
        "features conv3", "features conv2", "features conv1",
    ]  # fmt: skip


def test_what_is_on_a_screen_comes_first_with_what_it_needs() -> None:
    agenda = Agenda(PLAN)
    first = agenda.take()
    assert first == MEASURE
    agenda.look_at(["conv2", "conv1"])
    agenda.settle(first.key)
    assert order(agenda) == [
        "statistics conv2", "prior", "features conv2", "statistics conv1", "features conv1",
        "statistics conv3", "features conv3",
    ]  # fmt: skip


def test_who_looks_away_gives_the_place_free() -> None:
    agenda = Agenda(PLAN, done={MEASURE.key, PRIOR.key})
    agenda.look_at(["conv1"])
    agenda.look_at([])
    assert order(agenda)[:3] == ["statistics conv1", "statistics conv2", "statistics conv3"]


def test_what_was_put_back_is_handed_out_again_in_its_place() -> None:
    agenda = Agenda(PLAN)
    measure, prior = agenda.take(), agenda.take()
    assert (measure, prior) == (MEASURE, PRIOR)
    assert agenda.take() is None  # all else waits for them
    agenda.put_back(MEASURE)
    assert agenda.take() == MEASURE
    assert agenda.left == len(PLAN)


@given(st.data())
def test_any_plan_is_handed_out_once_and_in_an_order_that_can_be_done(data: st.DataObject) -> None:
    plan: list[Task] = []
    for number in range(data.draw(st.integers(0, 12))):
        needs = data.draw(st.lists(st.sampled_from(plan), unique_by=lambda each: each.key, max_size=3)) if plan else []
        layer = data.draw(st.sampled_from(["a", "b", None]))
        plan.append(task(f"t{number}", layer, tuple(needs), data.draw(st.integers(0, 100))))
    done = {each.key for each in plan if data.draw(st.booleans())}
    agenda = Agenda(plan, done)
    given_out: list[Task] = []
    settled = set(done)
    running: list[Task] = []
    while agenda.left:
        if data.draw(st.booleans()):
            agenda.look_at(data.draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True)))
        while (each := agenda.take()) is not None:
            assert set(each.needs) <= settled
            running.append(each)
            given_out.append(each)
        finished = running.pop(data.draw(st.integers(0, len(running) - 1)))
        agenda.settle(finished.key)
        settled.add(finished.key)
    assert {each.key for each in given_out} == {each.key for each in plan} - done
    assert len(given_out) == len(plan) - len(done)
