"""A plan that was damaged, made again from the seals of what it planned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.atlas.artifacts import SEAL, folder_of
from analysis.atlas.atlas import Atlas, write_plan
from analysis.atlas.files import below, written_at
from analysis.clock import now
from analysis.encoding import from_json
from analysis.task import Task


def unplanned(atlas: Atlas) -> list[Task]:
    """The tasks of artifacts that no plan names, as they were made one after the other, each after what it needs."""
    planned = {folder_of(task) for task in atlas.tasks()}
    seals = [
        seal
        for seal in below(atlas.root, f"*/*/*/{SEAL}")
        if seal.parent.relative_to(atlas.root).as_posix() not in planned
    ]
    sealed = [_sealed_task(seal) for seal in sorted(seals, key=written_at)]
    return _after_their_needs({task.key: task for task in sealed if task is not None})


def plan_again(atlas: Atlas) -> None:
    """Record what is there and in no plan as one, with the number of the last damaged one, which stays where it is.

    What was asked for stood in that one alone, and so did tasks that were not done: the next build plans them again.
    """
    tasks, number = unplanned(atlas), atlas.damaged_plans()[-1].name.partition("-")[0]
    if tasks:
        write_plan(atlas.root, int(number), {"created": now(), "request": {}}, tasks)


def _sealed_task(seal: Path) -> Task | None:
    """None where the seal can not be read, or is that of another artifact."""
    try:
        facts = from_json(seal.read_bytes())
        task = Task.from_json({name: value for name, value in facts.items() if name != "files"})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return task if seal.parent.name == Path(folder_of(task)).name else None


def _after_their_needs(tasks: Mapping[str, Task]) -> list[Task]:
    ordered: dict[str, Task] = {}

    def put(task: Task) -> None:
        for need in task.needs:
            if need in tasks and need not in ordered:
                put(tasks[need])
        ordered.setdefault(task.key, task)

    for task in tasks.values():
        put(task)
    return list(ordered.values())
