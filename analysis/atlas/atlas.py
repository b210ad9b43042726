"""One atlas: everything made of one model with one probe, read as tables and files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.atlas.artifacts import Artifacts, folder_of
from analysis.atlas.files import below, fingerprint, write_atomically
from analysis.atlas.glance import glance
from analysis.atlas.settled import settled
from analysis.encoding import from_json, from_parquet, to_json
from analysis.errors import StrataError
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard
from analysis.task import Task
from analysis.unit import HEAD

FORMAT = 2
"""Version of the format on disk, raised whenever an older reader would misread it (docs/atlas-format.md)."""
MANIFEST = "atlas.json"
BUILDS = "builds/*.json"


@dataclass(frozen=True)
class Progress:
    """How far one technique is, in tasks."""

    technique: str
    done: int
    failed: int
    total: int


@dataclass(frozen=True)
class Render:
    """Pictures of one unit that somebody asked for.

    folder, table : where they lie and a row a face, None while they are not made
    reason        : why they could not be made
    """

    key: str
    parameters: Mapping[str, Any]
    folder: str | None = None
    table: pd.DataFrame | None = None
    reason: str | None = None


def build_name(number: int, content: bytes) -> str:
    """What a plan is called: its number in the atlas, and the beginning of its content's sha256."""
    return f"{number:04d}-{hashlib.sha256(content).hexdigest()[:8]}"


def write_plan(root: Path, number: int, build: Mapping[str, Any], tasks: Sequence[Task]) -> str:
    """Write a plan below the atlas in `root`; returns its name."""
    content = to_json({**build, "tasks": [task.to_json() for task in tasks]})
    name = build_name(number, content)
    write_atomically(root / "builds" / f"{name}.json", content, lasting=True)
    return name


def next_number(root: Path) -> int:
    """The number of the atlas's next plan: one more than that of its last."""
    plans = below(root, BUILDS)
    return int(plans[-1].name.partition("-")[0]) + 1 if plans else 0


class Atlas:
    """The atlas in the folder `root`. Reading never fails on what is not there yet: it answers None."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.id = root.name
        self.artifacts = Artifacts(root)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Raises StrataError where it is damaged or of a newer format."""
        try:
            manifest = from_json((self.root / MANIFEST).read_bytes())
            written_by = int(manifest["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise StrataError(
                f"The manifest of the atlas {self.id} is damaged ({error}). Delete the atlas and build it again."
            ) from error
        if written_by > FORMAT:
            raise StrataError(
                f"The atlas {self.id} was made by a newer Strata (its format is {written_by}, "
                f"this one reads {FORMAT}). Update Strata to open it."
            )
        return manifest

    @cached_property
    def model(self) -> ModelCard:
        return ModelCard.from_json(self.manifest["model"])

    @cached_property
    def probe(self) -> ProbeCard | None:
        facts = self.manifest["probe"]
        return None if facts is None else ProbeCard.from_json(facts)

    @property
    def created(self) -> str:
        """ISO 8601, UTC."""
        return str(self.manifest["created"])

    @cached_property
    def _place(self) -> Path:
        return self.root.resolve()

    # What was planned, and how far it is

    def add_build(self, build: Mapping[str, Any], tasks: Sequence[Task]) -> str:
        """Record a plan: what was asked for, with which versions, and the tasks that make it. Returns its name.

        Two plans that are recorded at the same moment get the same number and different names.
        """
        return write_plan(self.root, next_number(self.root), build, tasks)

    def planned(self, build: str) -> list[Task]:
        """The tasks of the plan with this name, in their order. Raises StrataError where it is damaged."""
        path = self.root / "builds" / f"{build}.json"
        if _build(path, fingerprint(path)) is None:
            raise StrataError(
                f"The plan {build} of the atlas {self.id} is damaged. Run `strata verify`, then build again."
            )
        return _tasks(path, fingerprint(path))

    def last_build(self) -> str | None:
        """The name of the plan that was recorded last, of those that can be read."""
        names = [path.stem for path, build in self._builds() if build is not None]
        return names[-1] if names else None

    def builds(self) -> list[dict[str, Any]]:
        """Every recorded plan that can be read, oldest first."""
        return [build for _path, build in self._builds() if build is not None]

    def damaged_plans(self) -> list[Path]:
        """The plans that can not be read: what they planned may be there, and nothing names it."""
        return [path for path, build in self._builds() if build is None]

    def _builds(self) -> list[tuple[Path, dict[str, Any] | None]]:
        return [(path, _build(path, fingerprint(path))) for path in below(self.root, BUILDS)]

    def tasks(self, technique: str | None = None, layer: str | None = None) -> list[Task]:
        """The planned tasks, those of later builds last; each once, where it was planned last."""
        return list(self._plan().get((technique, layer), ()))

    def _plan(self) -> Mapping[tuple[str | None, str | None], Sequence[Task]]:
        """All planned tasks by technique and layer, either of them None for all."""

        def look() -> Mapping[tuple[str | None, str | None], Sequence[Task]]:
            return _planned(tuple((path, fingerprint(path)) for path in below(self.root, BUILDS)))

        return glance((self.root, BUILDS), look)

    def progress(self) -> list[Progress]:
        """One entry a technique, in the order of the plan."""
        counts: dict[str, list[int]] = {}
        tasks = self.tasks()
        done = settled(tasks, self.artifacts.made(tasks))
        failed = {task.key for task, _reason in self.failures()} - done
        for task in tasks:
            count = counts.setdefault(task.technique, [0, 0, 0])
            count[0] += task.key in done
            count[1] += task.key in failed
            count[2] += 1
        return [Progress(technique, *count) for technique, count in counts.items()]

    def failures(self) -> list[tuple[Task, str]]:
        """What could not be made, and why."""
        tried = glance((self.root, "failures"), lambda: {path.stem for path in below(self.root, "failures/*.json")})
        tasks = [task for task in self.tasks() if task.key in tried] if tried else []
        made = self.artifacts.made(tasks) if tasks else set()
        reasons = [(task, self.artifacts.failure(task)) for task in tasks if task.key not in made]
        return [(task, reason) for task, reason in reasons if reason is not None]

    # What was made

    def table(self, technique: str, file: str, layer: str | None = None) -> pd.DataFrame | None:
        """A technique's table over the whole layer (or probe), with a column `folder`: where its other files lie.

        Where several tasks made rows for the same channel (or image), those planned last are kept. None: nothing yet.
        """
        return self._rows(technique, file, layer)

    def statistics(self, layer: str) -> pd.DataFrame | None:
        """One row a channel; the columns are listed in docs/atlas-format.md."""
        technique, place = self._measured("statistics", layer)
        return self._rows(technique, "statistics.parquet", place, ("channel",))

    def exemplars(self, layer: str) -> pd.DataFrame | None:
        """One row an exemplar, sorted by channel and rank."""
        technique, place = self._measured("exemplars", layer)
        return self._rows(technique, "exemplars.parquet", place, ("channel", "kind", "rank"))

    def heat(self, layer: str) -> pd.DataFrame | None:
        """One row an exemplar, sorted by channel: where in it the channel answers."""
        return self._rows("heat", "heat.parquet", layer, ("channel", "image"))

    def _measured(self, technique: str, layer: str) -> tuple[str, str | None]:
        """The technique that measured a layer, and the layer of its tasks: a head's classes are those of `outputs`."""
        if not self.model.is_head(layer):
            return technique, layer
        return "outputs", None if layer == HEAD else layer

    def features(self, layer: str) -> pd.DataFrame | None:
        """One row a channel that has a picture; `sketch` where it is the quick one, until the fine one is there."""
        return _best_of(*(self._folders(name, layer) for name in ("features", "sketches")), self.root)

    def twins(self, layer: str) -> pd.DataFrame | None:
        """One row a picture of the random twin, as of `features`."""
        return self._rows("twins", "features.parquet", layer, ("channel",))

    def renders(self, layer: str, channel: int) -> list[Render]:
        """What was asked for of one unit, the newest first, made or not."""
        found = [task for task in self.tasks("renders", layer) if task.channels == (channel, channel + 1)]
        return [self._render(task) for task in reversed(found)]

    def _render(self, task: Task) -> Render:
        if not self.artifacts.has(task):
            return Render(task.key, task.parameters, reason=self.artifacts.failure(task))
        folder = folder_of(task)
        return Render(task.key, task.parameters, folder, _table(self.root / folder / "renders.parquet"))

    def weights(self, layer: str) -> pd.DataFrame | None:
        """One row a channel: what its weights alone tell."""
        return self._rows("weights", "weights.parquet", layer, ("channel",))

    def circuits(self, layer: str) -> pd.DataFrame | None:
        """One row a wire between a channel and one of another layer, the greatest share first."""
        return self._rows("circuits", "circuits.parquet", layer, ("channel", "direction", "rank"))

    def map(self, layer: str) -> pd.DataFrame | None:
        """One row a channel: where it lies on the layer's map."""
        return self._rows("map", "map.parquet", layer, ("channel",))

    def activation_atlas(self, layer: str) -> pd.DataFrame | None:
        """One row a cell of the layer's activation atlas that was planned last, with a column `folder`."""
        done = [task for task in self.tasks("activation-atlas", layer) if self.artifacts.has(task)]
        folder = folder_of(done[-1]) if done else ""
        return _table(self.root / folder / "cells.parquet").assign(folder=folder) if done else None

    def images(self) -> pd.DataFrame | None:
        """One row an image of the probe that some exemplar refers to."""
        return self.table("images", "images.parquet")

    def layer_facts(self, technique: str, layer: str) -> dict[str, Any] | None:
        """`layer.json` of a layer's statistics, weights or circuits: what is true of the layer as a whole."""
        done = [task for task in self.tasks(technique, layer) if self.artifacts.has(task)]
        facts: dict[str, Any] | None = _facts(self.root / folder_of(done[-1]) / "layer.json") if done else None
        return facts

    def facts(self, folder: str) -> dict[str, Any]:
        """`facts.json` of an artifact folder: tile size, columns of its sheets."""
        facts: dict[str, Any] = _facts(self.path(folder) / "facts.json")
        return facts

    def path(self, relative: str) -> Path:
        """A file of the atlas, for serving it. Raises StrataError for anything outside of the atlas's folder."""
        path = (self.root / relative).resolve()
        if not path.is_relative_to(self._place):
            raise StrataError(f"“{relative}” is not a file of this atlas. Ask for one that is.")
        return path

    def _rows(self, technique: str, file: str, layer: str | None, order: tuple[str, ...] = ()) -> pd.DataFrame | None:
        """`table`, sorted by the columns `order`."""
        folders = self._folders(technique, layer)
        return _joined(self.root, folders, file, order) if folders else None

    def _folders(self, technique: str, layer: str | None) -> tuple[str, ...]:
        """Where a technique's artifacts lie, as far as they are there."""
        tasks = self.tasks(technique, layer)
        made = self.artifacts.made(tasks)
        return tuple(folder_of(task) for task in tasks if task.key in made)


def create(root: Path, model: ModelCard, probe: ProbeCard | None, created: str, versions: Mapping[str, str]) -> Atlas:
    """The atlas in `root`, made there if it is not there yet, brought to today's format if it is of an older one.

    It says its model as `model` does: the input may have been corrected since.
    """
    if not (root / MANIFEST).exists():
        manifest = {
            "format": FORMAT,
            "id": root.name,
            "created": created,
            "versions": dict(versions),
            "model": model.to_json(),
            "probe": None if probe is None else probe.to_json(),
        }
        write_atomically(root / MANIFEST, to_json(manifest), lasting=True)
    atlas = Atlas(root)
    if atlas.manifest["format"] < FORMAT:
        migrate(atlas.artifacts, atlas.tasks())
    today = {**atlas.manifest, "format": FORMAT, "model": model.to_json()}
    if today != atlas.manifest:
        write_atomically(root / MANIFEST, to_json(today), lasting=True)
    return Atlas(root)


def migrate(artifacts: Artifacts, tasks: Sequence[Task]) -> None:
    """From format 1, which kept no checksums, to 2: seal each artifact as it is."""
    for task in tasks:
        if artifacts.has(task):
            artifacts.reseal(task)


# Artifacts never change once they are there, and a build's file is known by its time: both may be remembered.
# Each reader gets what is remembered, so none may change it.

_remember: Callable[..., Any] = lru_cache(maxsize=512)


@_remember
def _table(path: Path) -> pd.DataFrame:
    return from_parquet(path.read_bytes())


@_remember
def _joined(root: Path, folders: tuple[str, ...], file: str, order: tuple[str, ...]) -> pd.DataFrame:
    """The rows of the file in all these folders, with a column `folder`; of one channel or image those of the last."""
    parts: list[pd.DataFrame] = []
    seen: set[int] = set()
    for folder in reversed(folders):
        rows = _table(root / folder / file).assign(folder=folder)
        row_of = "channel" if "channel" in rows else "image"
        rows = rows[~rows[row_of].isin(seen)]
        seen.update(rows[row_of])
        parts.append(rows)
    table = pd.concat(parts[::-1], ignore_index=True)
    return table.sort_values(list(order), ignore_index=True) if order else table


@_remember
def _best_of(fine: tuple[str, ...], quick: tuple[str, ...], root: Path) -> pd.DataFrame | None:
    """The fine pictures' rows, and of channels that have none yet those of sketches."""
    kinds = ((fine, False), (quick, True))
    found = [
        _joined(root, folders, "features.parquet", ()).assign(sketch=sketch) for folders, sketch in kinds if folders
    ]
    if not found:
        return None
    every = pd.concat(found, ignore_index=True).drop_duplicates("channel")
    return every.sort_values("channel", ignore_index=True)


@_remember
def _facts(path: Path) -> dict[str, Any]:
    return dict(from_json(path.read_bytes()))


@_remember
def _build(path: Path, _fingerprint: Any) -> dict[str, Any] | None:
    """None where it is damaged."""
    try:
        build = dict(from_json(path.read_bytes()))
        for task in build["tasks"]:
            Task.from_json(task)
    except (ValueError, KeyError, TypeError):
        return None
    return build


@_remember
def _tasks(path: Path, written: Any) -> list[Task]:
    """No task where the plan is damaged: the rest of the atlas can be read."""
    build = _build(path, written)
    return [] if build is None else [Task.from_json(task) for task in build["tasks"]]


@_remember
def _planned(builds: tuple[tuple[Path, Any], ...]) -> Mapping[tuple[str | None, str | None], Sequence[Task]]:
    """The tasks of all these builds, each where it was planned last, by technique and layer, and by each alone."""
    planned: dict[str, Task] = {}
    for path, written in builds:
        for task in _tasks(path, written):
            planned.pop(task.key, None)
            planned[task.key] = task
    found: dict[tuple[str | None, str | None], list[Task]] = {}
    for task in planned.values():
        for place in {(None, None), (task.technique, None), (None, task.layer), (task.technique, task.layer)}:
            found.setdefault(place, []).append(task)
    return found
