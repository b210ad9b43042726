import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.atlas.artifacts import Artifacts, file_name, folder_of
from analysis.atlas.files import Unwritable
from analysis.errors import StrataError
from analysis.task import Task

TASK = Task("features", 1, "ab" * 32, layer="features.7/expand:3x3", channels=(0, 16))


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    assert not artifacts.has(TASK)
    artifacts.write(TASK, {"sheet.webp": b"picture", "facts.json": b"{}"})
    assert artifacts.has(TASK)
    assert artifacts.read(TASK)["sheet.webp"] == b"picture"
    assert set(artifacts.read(TASK)) == {"sheet.webp", "facts.json", "task.json"}
    with pytest.raises(KeyError):
        artifacts.read(TASK)["nothing"]


def test_reading_what_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StrataError, match="Build them first"):
        Artifacts(tmp_path).read(TASK)


def test_an_artifact_that_breaks_off_while_it_is_written_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts, write = Artifacts(tmp_path), Path.write_bytes

    def write_until_full(path: Path, content: bytes) -> int:
        if path.name == "b":
            write(path, content[:2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_until_full)
    with pytest.raises(Unwritable, match="is full"):
        artifacts.write(TASK, {"a": b"whole", "b": b"half"})
    assert not artifacts.has(TASK)
    assert list((tmp_path / ".drafts").iterdir()) == []


def test_many_writers_of_one_task_leave_one_whole_artifact(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    files = {f"{index}": bytes([index]) * 1000 for index in range(20)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: artifacts.write(TASK, files), range(24)))
    read = artifacts.read(TASK)
    assert {name: read[name] for name in files} == files
    assert list((tmp_path / ".drafts").iterdir()) == []


def test_a_failure_is_remembered_until_the_task_is_done(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    artifacts.fail(TASK, "out of memory")
    assert artifacts.failure(TASK) == "out of memory"
    artifacts.write(TASK, {})
    assert artifacts.failure(TASK) is None


@given(st.text(min_size=1))
def test_any_layer_name_is_a_folder_below_the_technique(tmp_path_factory: pytest.TempPathFactory, layer: str) -> None:
    name = file_name(layer)
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert 0 < len(name) <= 200
    root = tmp_path_factory.getbasetemp()
    task = Task("features", 1, "ab" * 32, layer=layer, channels=(0, 16))
    assert (root / folder_of(task)).resolve().is_relative_to(root.resolve() / "features")
