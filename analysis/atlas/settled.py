"""What of a plan is done."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from analysis.task import Task


def settled(tasks: Sequence[Task], made: Collection[str]) -> set[str]:
    """The keys of the tasks that need no more work, of `tasks` in the order of a plan, each after what it needs.

    made : keys of those whose artifacts are there. Besides these, an intermediate task is settled when all that would
    read it is made: its artifact may have been freed.
    """
    done = set(made)
    wanted: set[str] = set()
    for task in reversed(tasks):
        if task.key in done:
            continue
        if task.intermediate and task.key not in wanted:
            done.add(task.key)
        else:
            wanted.update(task.needs)
    return done
