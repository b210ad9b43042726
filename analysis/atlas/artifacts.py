"""Artifacts on disk: one folder a task, there whole or not there at all."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from analysis.atlas.files import files_below, is_local, told, write_atomically
from analysis.atlas.glance import glance
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError
from analysis.task import Task
from analysis.technique import Artifact

LONGEST = 200
"""Characters of a file name; file systems take 255 bytes."""
SEAL = "task.json"
"""Written last: an artifact with it is whole. Holds the task, and size and sha256 of each file."""
DRAFTS = ".drafts"


def folder_of(task: Task) -> str:
    """Where a task's artifact lies, below the atlas: `features/features.7.expand3x3/0000-0015-1b2c3d4e5f60`.

    Readable by a person, unique by the first 12 digits of the task's key.
    """
    layer = "all-layers" if task.layer is None else file_name(task.layer)
    piece = ""
    if task.channels is not None:
        piece = f"{task.channels[0]:04d}-{task.channels[1] - 1:04d}-"
    elif task.part is not None:
        piece = f"images-{task.part[0]:05d}-{task.part[1] - 1:05d}-"
    return str(PurePosixPath(task.technique, layer, piece + task.key[:12]))


def file_name(text: str) -> str:
    """Any text as one harmless file name: `/` and the like as %-codes, never hidden, never `..`, never too long."""
    name = quote(text, safe=" ()[],=+@")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) > LONGEST:
        # what is cut off still tells two names apart
        name = f"{name[: LONGEST - 9]}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"
    return name


class StoredArtifact(Mapping[str, bytes]):
    """An artifact that is read file by file, when a file is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> bytes:
        try:
            return (self.folder / file_name(name)).read_bytes()
        except FileNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (path.name for path in sorted(self.folder.iterdir(), key=str))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Artifacts:
    """All artifacts of one atlas, below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._place = str(root)

    def has(self, task: Task) -> bool:
        def look() -> bool:
            return (self.root / folder_of(task) / SEAL).is_file()

        return glance((self._place, task.key), look)

    def made(self, tasks: Iterable[Task]) -> set[str]:
        """The keys of those tasks whose artifacts are there. An object store is asked once for all of them."""
        if is_local(self.root):
            return {task.key for task in tasks if self.has(task)}
        sealed = glance((self._place, SEAL), self._sealed)
        return {task.key for task in tasks if folder_of(task) in sealed}

    def _sealed(self) -> set[str]:
        return {name.removesuffix(f"/{SEAL}") for name in files_below(self.root) if name.endswith(f"/{SEAL}")}

    def read(self, task: Task) -> StoredArtifact:
        """Raises StrataError where the task has not been done."""
        if not self.has(task):
            raise StrataError(f"The {task.technique} of {task.layer or 'the probe'} are not there. Build them first.")
        return StoredArtifact(self.root / folder_of(task))

    def write(self, task: Task, artifact: Artifact) -> None:
        """Write whole or not at all. When two workers finish the same task, the first one's artifact stays.

        In a folder: all files under another name first, then renamed. In an object store, which puts each object
        whole but renames none: the seal last. Raises Unwritable.
        """
        files = {file_name(name): content for name, content in artifact.items()}
        sealed = {**files, SEAL: to_json(seal(task, files))}
        final = self.root / folder_of(task)
        with told(final):
            if is_local(self.root):
                self._rename_into_place(sealed, final)
            elif not self.has(task):
                for name, content in sealed.items():
                    (final / name).write_bytes(content)
        self._failure(task).unlink(missing_ok=True)

    def reseal(self, task: Task) -> None:
        """Write the seal of an artifact again from the files that are there."""
        stored = self.read(task)
        files = {name: stored[name] for name in stored if name != SEAL}
        write_atomically(stored.folder / SEAL, to_json(seal(task, files)))

    def fail(self, task: Task, reason: str) -> None:
        """Remember why a task could not be done; forgotten when it is done after all."""
        write_atomically(self._failure(task), to_json({"task": task.to_json(), "reason": reason}))

    def failure(self, task: Task) -> str | None:
        """The reason why the task failed when it was last tried, None where it did not."""
        try:
            return str(from_json(self._failure(task).read_bytes())["reason"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return "it failed; the reason can not be read any more"

    def _failure(self, task: Task) -> Path:
        return self.root / "failures" / f"{task.key}.json"

    def _rename_into_place(self, files: Mapping[str, bytes], final: Path) -> None:
        draft, aside = (self.root / DRAFTS / uuid.uuid4().hex for _ in range(2))
        try:
            draft.mkdir(parents=True)
            for name, content in files.items():
                (draft / name).write_bytes(content)
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.rename(final)
            except OSError:
                if (final / SEAL).is_file():
                    return
                # what is left of a damaged artifact makes room
                if final.is_dir():
                    final.rename(aside)
                draft.rename(final)
        finally:
            for folder in (draft, aside):
                shutil.rmtree(folder, ignore_errors=True)


def seal(task: Task, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The content of `task.json`."""
    sums = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    return {**task.to_json(), "files": sums}
