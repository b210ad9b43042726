import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.atlas.artifacts import folder_of
from analysis.atlas.clean import delete, garbage
from analysis.atlas.files import files_below, remove, write_atomically
from analysis.atlas.library import Library
from analysis.atlas.verify import verify
from analysis.encoding import to_json
from tests.atlas.built import MEASURED, PICTURES, TASKS, built, write_all
from tests.atlas.synthetic import features_artifact, features_task, probe_card


def freed(library: Library, young: float = 0, **refers: set[str]) -> set[str]:
    """What gc would free: paths below the library."""
    given = {name: refers.get(name, set()) for name in ("models", "jobs", "files")}
    return {
        str(each.path).removeprefix(str(library.root)).strip("/") for each in garbage(library, **given, young=young)
    }


def test_what_was_made_for_other_tasks_alone_goes_when_these_are_done(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    measured = f"atlases/{atlas.id}/{folder_of(MEASURED)}"
    assert freed(library) == {measured}
    remove(library.root / measured)
    assert [(each.done, each.total) for each in atlas.progress()] == [(1, 1), (1, 1), (3, 3)]
    assert list(verify(library, atlas)) == []

    write_all(atlas)
    remove(atlas.root / "statistics")
    assert freed(library) == set()  # the statistics still need it
    remove(library.root / measured)
    assert [(each.done, each.total) for each in atlas.progress()] == [(0, 1), (0, 1), (3, 3)]


def test_everything_that_nothing_refers_to_goes_and_nothing_else(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    here = f"atlases/{atlas.id}"
    unplanned = features_task("conv1", (0, 4), steps=99)
    atlas.artifacts.write(unplanned, features_artifact(range(4), 1.0))
    atlas.artifacts.fail(unplanned, "no memory")
    (atlas.artifacts.read(PICTURES[0]).folder / "task.json").unlink()
    for path in (
        f"{here}/.drafts/0/facts.json",
        "atlases/gone.abcdef01/features/conv1/0/task.json",
        "models/unused-12345678/card.json",
        "jobs/1/cancel", "jobs/2/cancel",
        "dreams/1/final.png", "dreams/2/final.png",
        "uploads/1.png", "uploads/2.png",
        "uploads/models/1/net.pth",  # the dashboard's own to forget
        "uploads/images/1/set.tar", "uploads/images/2/set.tar", "uploads/images/3/a/1.png",
    ):  # fmt: skip
        write_atomically(library.root / path, b"x")
    other = replace(probe_card("99" * 16), source=str(library.root / "uploads" / "images" / "3"))
    library.create_atlas(atlas.model, other)
    before = files_below(library.root)
    files = {str(library.root / "uploads" / name) for name in ("2.png", "images/2/set.tar")}
    found = freed(library, models={"unused-12345678"}, jobs={"2"}, files=files)
    assert found == {
        f"{here}/{folder_of(MEASURED)}",
        f"{here}/{folder_of(unplanned)}",
        f"{here}/{folder_of(PICTURES[0])}",
        f"{here}/failures/{unplanned.key}.json",
        f"{here}/.drafts/0",
        "atlases/gone.abcdef01",
        "jobs/1",
        "dreams/1",
        "uploads/1.png",
        "uploads/images/1",
    }
    assert "models/unused-12345678" in freed(library)
    for path in found:
        remove(library.root / path)
    kept = {name for name in before if not any(name.startswith(path) for path in found)}
    assert set(files_below(library.root)) == kept
    assert [task.key for task in TASKS if atlas.artifacts.has(task)] == [
        task.key for task in TASKS if task not in (MEASURED, PICTURES[0])
    ]


def test_a_look_keeps_its_image_and_goes_with_its_model_or_atlas(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    uploads = {key: str(library.root / "uploads" / f"{key}.png") for key in ("a", "b", "c", "d")}
    model = atlas.model.id
    seen_with = {"a": (model, atlas.id), "b": (model, None), "c": ("gone", None), "d": (model, "gone.0")}
    for key, (model, through) in seen_with.items():
        write_atomically(library.root / "looks" / key / "facts.json", to_json({"model": model, "atlas": through}))
        write_atomically(library.root / "uploads" / f"{key}.png", b"x")
    looks = garbage(library, (), (), (), uploads, young=0)
    names = {each.path.relative_to(library.root).as_posix() for each in looks} - {
        f"atlases/{atlas.id}/{folder_of(MEASURED)}"
    }
    assert names == {"looks/c", "uploads/c.png", "looks/d", "uploads/d.png"}


def test_what_was_just_written_stays(tmp_path: Path) -> None:
    library = Library(tmp_path)
    write_atomically(tmp_path / "jobs" / "1" / "cancel", b"")
    assert freed(library, young=3600) == set()
    old = time.time() - 7200
    os.utime(tmp_path / "jobs" / "1", (old, old))
    assert freed(library, young=3600) == {"jobs/1"}


def test_an_atlas_that_can_not_be_read_keeps_every_model(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    write_atomically(atlas.root / "atlas.json", b'{"format": 99}')
    assert freed(Library(str(library.root))) == set()


def test_a_deleted_atlas_is_gone_and_its_model_stays(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    card = atlas.model
    delete(atlas)
    assert library.atlases() == []
    assert not any(name.startswith("atlases") for name in files_below(library.root))
    assert [card.id for card in library.models()] == [card.id]


def test_a_deletion_that_breaks_off_leaves_no_half_atlas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(tmp_path / "library")
    atlas = built(library, tmp_path)
    card = atlas.model
    monkeypatch.setattr("shutil.rmtree", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        delete(atlas)
    assert library.atlases() == []
    assert freed(library, models={card.id}) == {f"atlases/{atlas.id}"}
