"""Files of a library, wherever it lies: a folder of this machine, or an object store by its URL (fsspec)."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from analysis.errors import StrataError

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST)


class Unwritable(StrataError):
    """The library can not be written or reached: nothing that a task could do better the next time."""


def place(where: str | Path) -> Path:
    """A folder by its path or URL: `library`, `~/nets`, `s3://bucket/strata`, `memory://x`.

    What is no folder of this machine is a `upath.UPath`, which has the methods of a Path and goes through fsspec.
    """
    if isinstance(where, Path):
        return where.expanduser().absolute() if is_local(where) else where
    if "://" not in where:
        return Path(where).expanduser().absolute()
    from upath import UPath

    if where.startswith("file://"):
        return Path(UPath(where).path)
    try:
        # other processes write too, so what a folder holds is asked each time
        folder: Any = UPath(where, use_listings_cache=False)
        _ = folder.fs
    except (ValueError, ImportError) as error:
        raise StrataError(f"There is no way to {where} ({error}). Use a folder or an s3:// URL.") from error
    return folder


def is_local(path: Path) -> bool:
    """Whether a path lies in this machine's file system."""
    return not hasattr(path, "fs")


def write_atomically(path: Path, content: bytes, lasting: bool = False) -> None:
    """Write one file so that a reader sees the old one or the new one, never half of one.

    An object store puts an object whole or not at all; a folder gets it under another name first. Raises Unwritable.

    lasting : it can not be made again, so it is on the disk when this returns, whether the power fails or not
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_local(path):
            path.write_bytes(content)
            return
        draft = path.with_name(f".{uuid.uuid4().hex[:8]}.draft")
        try:
            draft.write_bytes(content)
            if lasting:
                _sync(draft)
            os.replace(draft, path)
            if lasting:
                with suppress(OSError):  # not every file system does this for a folder
                    _sync(path.parent)
        finally:
            _forget(draft)


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it; nothing where there is none."""
    with told(path):
        if not is_local(path):
            if path.exists():
                path.fs.rm(path.path, recursive=True)  # type: ignore[attr-defined]
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def files_below(folder: Path) -> dict[str, int]:
    """Path below `folder`, with `/`, → size in bytes of every file in it."""
    if not is_local(folder):
        with told(folder):
            found = folder.fs.find(folder.path, detail=True)  # type: ignore[attr-defined]
        base = folder.path.rstrip("/") + "/"  # type: ignore[attr-defined]
        return {name.removeprefix(base): int(facts["size"]) for name, facts in found.items()}
    return {
        file.relative_to(folder).as_posix(): file.stat().st_size for file in sorted(folder.rglob("*")) if file.is_file()
    }


def fingerprint(path: Path) -> Any:
    """What changes when the file does: its time of writing, or what an object store says of it."""
    return path.stat().st_mtime_ns if is_local(path) else path.fs.ukey(path.path)  # type: ignore[attr-defined]


def written_at(path: Path) -> float:
    """When a file or folder was last written, seconds since 1970; 0 for what an object store does not date."""
    if is_local(path):
        return path.stat().st_mtime
    dated = [path] if path.is_file() else [path / name for name in files_below(path)]
    return max((each.fs.modified(each.path).timestamp() for each in dated), default=0.0)  # type: ignore[attr-defined]


def below(root: Path, pattern: str) -> Sequence[Path]:
    """What lies below `root` by a pattern (`models/*/card.json`), sorted; drafts and other hidden things left out."""
    with told(root):
        found = list(root.glob(pattern))
    seen = (path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))
    return sorted(seen, key=str)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tell a full disk, a missing right, a file in the way and an object store's refusal in a sentence each."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Unwritable(
                f"The disk that holds {path.parent} is full. Free some space; what is done is kept, and the same "
                "command goes on."
            ) from error
        if error.errno in FORBIDDEN and is_local(path):
            raise Unwritable(
                f"{path.parent} can not be written ({error.strerror}). Get the right to write there, or choose another "
                "folder with --library."
            ) from error
        if error.errno in IN_THE_WAY and is_local(path):
            raise Unwritable(
                f"{path} can not be written: a file is where one of its folders would be. Move it away, or choose "
                "another folder with --library."
            ) from error
        if is_local(path):
            raise
        raise _refused(error) from error
    except _store_errors() as error:
        raise _refused(error) from error


def _store_errors() -> tuple[type[Exception], ...]:
    """What S3's client raises that is no OSError; nothing where no S3 is used, which is asked when something failed."""
    client: Any = sys.modules.get("botocore.exceptions")
    return () if client is None else (client.BotoCoreError, client.ClientError)


def _refused(error: Exception) -> Unwritable:
    return Unwritable(
        f"The library's object store can not be used ({error}). Look at its address, AWS_ENDPOINT_URL, "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; what is done is kept, and the same command goes on."
    )


def _sync(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's names."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _forget(draft: Path) -> None:
    try:
        draft.unlink(missing_ok=True)
    except OSError:  # the error that is on its way says why
        return
