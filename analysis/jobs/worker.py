"""What a worker does with one task: open what it needs, run the technique, leave the artifact or the reason why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from analysis.atlas.artifacts import StoredArtifact
from analysis.atlas.atlas import Atlas
from analysis.atlas.files import Unwritable
from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.heap import keep_freed_memory
from analysis.jobs.device import moved, own_gpu
from analysis.task import Task
from analysis.technique import Cancelled, Context
from analysis.techniques import technique

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one task. seconds: spent on it, 0 where its artifact was there already · cold: it also opened the
    model or the images, as a process's first task does.

    unwritable: it could be done, but not kept; so could none of the others.
    """

    key: str
    state: Literal["done", "failed", "cancelled", "unwritable"]
    seconds: float = 0.0
    reason: str = ""
    cold: bool = False


def single_threaded() -> None:
    """One process, one thread: more threads than free cores make torch ten times slower."""
    import torch

    torch.set_num_threads(1)
    keep_freed_memory()


def run_task(library_root: str, atlas_id: str, facts: Mapping[str, Any], job_id: str) -> Outcome:
    """Do one task of an atlas, if its artifact is not there yet. Never raises: what went wrong is in the outcome."""
    began, opened = time.monotonic(), _opened()
    task = Task.from_json(facts)
    try:
        outcome = _run(Library(library_root), atlas_id, task, job_id, began)
        return replace(outcome, cold=_opened() > opened)
    except Unwritable as error:
        return Outcome(task.key, "unwritable", time.monotonic() - began, str(error))


def _run(library: Library, atlas_id: str, task: Task, job_id: str, began: float) -> Outcome:
    atlas = _atlas(library, atlas_id)
    if atlas.artifacts.has(task):
        return Outcome(task.key, "done")
    single_threaded()
    how = technique(task.technique)
    stop = StopSign(library.job_folder(job_id) / "cancel")
    try:
        stop.look()
        context = Context(
            model=partial(device_model_of if how.on_device else open_model_of, str(library.root), atlas.model.id),
            probe=partial(probe_of, str(library.root), atlas_id),
            inputs=_inputs(atlas, task),
            report=lambda _fraction: stop.look(),
        )
        atlas.artifacts.write(task, how.run(task, context))
    except Cancelled:
        return Outcome(task.key, "cancelled")
    except Unwritable:
        raise
    except StrataError as error:
        atlas.artifacts.fail(task, str(error))
        return Outcome(task.key, "failed", time.monotonic() - began, str(error))
    except Exception as error:
        log.exception("%s of %s", task.technique, task.layer)
        reason = f"{task.technique} of {task.layer or 'the probe'} failed: {type(error).__name__}: {error}"
        atlas.artifacts.fail(task, reason)
        return Outcome(task.key, "failed", time.monotonic() - began, reason)
    return Outcome(task.key, "done", time.monotonic() - began)


class StopSign:
    """A file that is there once a job was cancelled; looked for a few times a second however often it is asked."""

    EVERY = 0.2

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked = -self.EVERY

    def look(self) -> None:
        """Raises Cancelled once the sign is there."""
        if time.monotonic() - self._looked >= self.EVERY:
            self._looked = time.monotonic()
            if self._path.exists():
                raise Cancelled


@lru_cache(maxsize=2)
def open_model_of(library_root: str, model_id: str) -> Any:
    """The open model with this id, as it was opened when it came into the library; once a process."""
    from analysis.models.guard import inspect_guarded
    from analysis.models.open import reopen

    library = Library(library_root)
    card, file = library.model_on_disk(model_id)
    if library.is_unopened(model_id):
        inspect_guarded(file, **card.options)
        library.was_opened(model_id)
    return reopen(file, card)


@lru_cache(maxsize=1)
def device_model_of(library_root: str, model_id: str) -> Any:
    """The same on this worker's GPU, where it has one."""
    model, device = open_model_of(library_root, model_id), own_gpu()
    return model if device is None else moved(model, device)


@lru_cache(maxsize=2)
def probe_of(library_root: str, atlas_id: str) -> Any:
    """The open images of this atlas, the same that it was made with; once a process."""
    from analysis.probe import open_probe

    card = _atlas(Library(library_root), atlas_id).probe
    if card is None:
        raise StrataError("This atlas was made without images. Build it with --images to have this.")
    probe = open_probe(card.source, **card.options)
    if probe.card.hash != card.hash:
        raise StrataError(
            f"The images in {card.source} have changed since the build began. Build again to make a new atlas."
        )
    return probe


def _opened() -> int:
    """How often this process opened a model or images."""
    return sum(each.cache_info().misses for each in (open_model_of, device_model_of, probe_of))


def _atlas(library: Library, atlas_id: str) -> Atlas:
    """By its id alone: without a look at all the others, as a person's `library.atlas(name)` takes."""
    return Atlas(library.root / "atlases" / atlas_id)


def _inputs(atlas: Atlas, task: Task) -> dict[str, StoredArtifact]:
    planned = {other.key: other for other in atlas.tasks()} if task.needs else {}
    inputs = {}
    for key in task.needs:
        needed = planned[key]
        if not atlas.artifacts.has(needed):
            reason = atlas.artifacts.failure(needed) or "it was not made"
            raise StrataError(f"{task.technique} needs {needed.technique}, which failed: {reason}")
        inputs[key] = atlas.artifacts.read(needed)
    return inputs
