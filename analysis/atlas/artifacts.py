"""Artifacts on disk: one folder a task, there whole or not there at all."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from analysis.encoding import from_json, to_json
from analysis.errors import StrataError
from analysis.task import Task
from analysis.technique import Artifact

LONGEST = 200
"""Characters of a file name; file systems take 255 bytes."""


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
        return (path.name for path in sorted(self.folder.iterdir()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Artifacts:
    """All artifacts of one atlas, below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, task: Task) -> bool:
        return (self.root / folder_of(task)).is_dir()

    def read(self, task: Task) -> StoredArtifact:
        """Raises StrataError where the task has not been done."""
        folder = self.root / folder_of(task)
        if not folder.is_dir():
            raise StrataError(f"The {task.technique} of {task.layer or 'the probe'} are not there. Build them first.")
        return StoredArtifact(folder)

    def write(self, task: Task, artifact: Artifact) -> None:
        """Write whole or not at all: into a folder of another name first, then renamed.

        When two workers finish the same task, the first one's folder stays; their contents are the same.
        """
        draft = self.root / ".drafts" / uuid.uuid4().hex
        draft.mkdir(parents=True)
        try:
            for name, content in {**artifact, "task.json": to_json(task.to_json())}.items():
                (draft / file_name(name)).write_bytes(content)
            final = self.root / folder_of(task)
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.rename(final)
            except OSError:
                if not final.is_dir():
                    raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._failure(task).unlink(missing_ok=True)

    def fail(self, task: Task, reason: str) -> None:
        """Remember why a task could not be done; forgotten when it is done after all."""
        self._failure(task).parent.mkdir(parents=True, exist_ok=True)
        self._failure(task).write_bytes(to_json({"task": task.to_json(), "reason": reason}))

    def failure(self, task: Task) -> str | None:
        """The reason why the task failed when it was last tried, None where it did not."""
        try:
            return str(from_json(self._failure(task).read_bytes())["reason"])
        except FileNotFoundError:
            return None

    def _failure(self, task: Task) -> Path:
        return self.root / "failures" / f"{task.key}.json"
