"""A library is the same in a folder, in memory and on an S3 server."""

import os
import stat
from pathlib import Path

import pytest
import s3fs

from analysis.atlas.atlas import Progress
from analysis.atlas.files import Unwritable, files_below, fingerprint, place, remove, write_atomically
from analysis.atlas.library import Library
from analysis.atlas.notes import add_note
from analysis.errors import StrataError
from tests.atlas.built import ARTIFACTS, MEASURED, PICTURES, TASKS, WEIGHTS, built
from tests.atlas.synthetic import features_artifact


def test_an_atlas_reads_back_from_another_process_eye(library: Library, tmp_path: Path) -> None:
    made = built(library, tmp_path)
    atlas = Library(str(library.root)).atlas("net")
    assert atlas.id == made.id
    assert [task.key for task in atlas.tasks()] == [task.key for task in TASKS]
    assert atlas.progress() == [
        Progress("measure", 1, 0, 1),
        Progress("statistics", 1, 0, 1),
        Progress("features", 3, 0, 3),
    ]
    table = atlas.features("conv2/a:b")
    assert table is not None
    assert table["channel"].tolist() == list(range(8))
    assert atlas.facts(table["folder"][0])["columns"] == 4
    assert atlas.path(f"{table['folder'][0]}/facts.json").is_file()
    assert set(atlas.artifacts.read(MEASURED)) == {"0000.npz", "task.json"}


def test_a_failure_is_told_until_the_task_is_done(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    remove(atlas.root / "features")
    atlas.artifacts.fail(PICTURES[0], "no memory")
    assert [(task.key, reason) for task, reason in atlas.failures()] == [(PICTURES[0].key, "no memory")]
    assert atlas.progress()[-1] == Progress("features", 0, 1, 3)
    atlas.artifacts.write(PICTURES[0], features_artifact(range(4), 1.0))
    assert atlas.failures() == []


def test_half_an_artifact_is_not_there_and_is_made_whole(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    stored = atlas.artifacts.read(PICTURES[0])
    (stored.folder / "task.json").unlink()  # what a store without renaming has before the last object is put
    assert not atlas.artifacts.has(PICTURES[0])
    with pytest.raises(StrataError, match="Build them first"):
        atlas.artifacts.read(PICTURES[0])
    atlas.artifacts.write(PICTURES[0], ARTIFACTS[2])
    assert atlas.artifacts.read(PICTURES[0])["features.parquet"] == ARTIFACTS[2]["features.parquet"]


def test_the_models_file_is_on_this_machine_when_it_is_opened(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    card = built(library, tmp_path).model
    for _ in range(2):
        kept, file = library.model_on_disk(card.id)
        assert kept == card
        assert Path(str(file)).read_bytes() == WEIGHTS


def test_no_path_leads_out_of_an_atlas(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    with pytest.raises(StrataError, match="not a file of this atlas"):
        atlas.path("../../models/x")


def test_a_file_written_again_is_another_one(library: Library) -> None:
    path = library.root / "a" / "b.json"
    write_atomically(path, b"1")
    first = fingerprint(path)
    write_atomically(path, b"22")
    assert fingerprint(path) != first
    assert files_below(library.root) == {"a/b.json": 2}
    remove(library.root / "a")
    assert files_below(library.root) == {}


def test_what_can_not_be_made_again_is_on_the_disk_before_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, str]] = []
    sync, replace = os.fsync, os.replace

    def synced(opened: int) -> None:
        steps.append(("sync", "folder" if stat.S_ISDIR(os.fstat(opened).st_mode) else "file"))
        sync(opened)

    def replaced(old: Path, new: Path) -> None:
        steps.append(("replace", new.name.partition("-")[0]))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    atlas = built(Library(tmp_path / "library"), tmp_path)
    add_note(atlas, "conv1", 3, "Ada", "edges")
    names = ("my net.onnx", "card.json", "atlas.json", "0000", "00003")
    assert steps == [step for name in names for step in (("sync", "file"), ("replace", name), ("sync", "folder"))]
    write_atomically(atlas.root / "x", b"")
    assert steps[-1] == ("replace", "x"), "what is made again is not waited for"


def test_a_place_that_there_is_no_way_to_is_a_sentence() -> None:
    with pytest.raises(StrataError, match="no way to nowhere://x"):
        place("nowhere://x")


AWS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [({}, "credentials"), ({**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect")],
)
def test_a_store_that_can_not_be_reached_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], reason: str
) -> None:
    for name in (*AWS, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    library = Library("s3://bucket/strata")
    for use in (
        library.all_atlases,
        lambda: library.atlas("net"),
        lambda: built(library, tmp_path),
        lambda: write_atomically(library.root / "x", b"x"),
        lambda: remove(library.root / "x"),
        lambda: files_below(library.root),
    ):
        with pytest.raises(StrataError, match=f"object store can not be used .*{reason}.*AWS_ENDPOINT_URL"):
            use()
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_file_where_the_library_would_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StrataError, match="is a file"):
        Library(tmp_path / "file")
    with pytest.raises(Unwritable, match="a file is where one of its folders would be"):
        built(Library(tmp_path / "file" / "library"), tmp_path)


def test_an_object_store_holds_no_job_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRATA_DATABASE", raising=False)
    with pytest.raises(StrataError, match="--database"):
        _ = Library("memory://x").database_url
    assert Library("memory://x", "postgresql://h/d").database_url == "postgresql://h/d"
