from pathlib import Path

import pytest

from analysis.atlas.artifacts import folder_of
from analysis.atlas.atlas import Atlas
from analysis.atlas.clean import garbage
from analysis.atlas.files import files_below, remove, write_atomically
from analysis.atlas.library import Library
from analysis.atlas.verify import set_aside, verify
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError
from tests.atlas.built import ARTIFACTS, MEASURED, PICTURES, STATISTICS, TASKS, built, write_all
from tests.atlas.synthetic import features_artifact, features_task


def found(library: Library) -> dict[str, str]:
    (atlas,) = library.all_atlases()
    return {damage.path.removeprefix(f"atlases/{atlas.id}/"): damage.what for damage in verify(library, atlas)}


def test_nothing_is_wrong_with_a_fresh_atlas(library: Library, tmp_path: Path) -> None:
    built(library, tmp_path)
    assert found(library) == {}


def test_every_damage_is_named_and_a_build_heals_it(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    flipped, short, lost, whole_lost, seal = (
        folder_of(task) for task in (PICTURES[0], PICTURES[1], STATISTICS, PICTURES[2], MEASURED)
    )
    content = (atlas.root / flipped / "features.parquet").read_bytes()
    (atlas.root / flipped / "features.parquet").write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    (atlas.root / short / "facts.json").write_bytes(b"{}")
    (atlas.root / lost / "statistics.parquet").unlink()
    remove(atlas.root / whole_lost)
    (atlas.root / seal / "task.json").write_bytes(b"{ha")
    assert found(library) == {
        f"{flipped}/features.parquet": "is not what was written",
        f"{short}/facts.json": f"has 2 bytes of {len(ARTIFACTS[3]['facts.json'])}",
        f"{lost}/statistics.parquet": "is not there",
        whole_lost: "is not there",
        f"{seal}/task.json": "can not be read",
    }
    assert set_aside(atlas, list(verify(library, atlas))) == 4
    write_all(atlas)
    assert found(library) == {}


def test_a_damaged_model_file_and_a_lost_one_are_named(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    (library.root / "models" / atlas.model.id / "my net.onnx").write_bytes(b"other")
    (what,) = found(library).values()
    assert "not the file that was opened" in what
    set_aside(atlas, list(verify(library, atlas)))
    library.add_model(atlas.model, tmp_path / "my net.onnx")
    assert found(library) == {}
    remove(library.root / "models")
    (what,) = found(library).values()
    assert "is not there" in what


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": 1}', b'{"format": "x"}'])
def test_a_damaged_manifest_is_named_and_stops_no_other_atlas(library: Library, tmp_path: Path, content: bytes) -> None:
    atlas = built(library, tmp_path)
    other = library.create_atlas(atlas.model, None)
    write_atomically(atlas.root / "atlas.json", content)
    fresh = Library(str(library.root))
    damages = [damage for each in fresh.all_atlases() for damage in verify(fresh, _unread(each))]
    assert [damage.path for damage in damages] == [f"atlases/{atlas.id}/atlas.json"]
    assert other.id in [each.id for each in fresh.atlases()]


def test_an_atlas_of_the_first_format_opens_and_a_build_seals_it(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    for task in PICTURES:
        write_atomically(atlas.root / folder_of(task) / "task.json", to_json(task.to_json()))
    old = {**from_json((atlas.root / "atlas.json").read_bytes()), "format": 1}
    write_atomically(atlas.root / "atlas.json", to_json(old))
    opened = _unread(atlas)
    assert opened.features("conv1") is not None
    assert list(verify(library, opened)) == []
    migrated = library.create_atlas(atlas.model, opened.probe)
    assert migrated.manifest == {**old, "format": 2}
    (atlas.root / folder_of(PICTURES[0]) / "facts.json").write_bytes(b"{}")
    assert len(list(verify(library, migrated))) == 1


def test_a_damaged_plan_is_made_again_from_what_it_planned(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    more = features_task("conv1", (0, 4), steps=64)
    name = atlas.add_build({"request": {"model": "net"}}, [more])
    atlas.artifacts.write(more, features_artifact(range(4), 3.0))
    (first,) = (path for path in atlas.root.glob("builds/*.json") if path.stem != name)
    write_atomically(first, first.read_bytes()[:100])
    (atlas.root / folder_of(PICTURES[0]) / "facts.json").write_bytes(b"{}")
    assert [task.key for task in atlas.tasks()] == [more.key], "what can be read is read"
    assert [build["request"] for build in atlas.builds()] == [{"model": "net"}]
    assert found(library) == {
        f"builds/{first.name}": "is no plan any more; what it planned is kept",
        f"{folder_of(PICTURES[0])}/facts.json": f"has 2 bytes of {len(ARTIFACTS[2]['facts.json'])}",
    }
    kept = set(files_below(atlas.root)) - {f"builds/{first.name}"}
    assert not [each for each in garbage(library, (), (), (), young=0) if each.path.is_relative_to(atlas.root)]

    set_aside(atlas, list(verify(library, atlas)))
    assert found(library) == {folder_of(PICTURES[0]): "is not there"}
    write_all(atlas)
    assert kept < set(files_below(atlas.root))
    tasks = [task.key for task in atlas.tasks()]
    assert tasks.index(MEASURED.key) < tasks.index(STATISTICS.key)
    assert sorted(tasks) == sorted(task.key for task in [*TASKS, more])
    assert tasks[-1] == more.key, "what was planned later still is"
    table = atlas.features("conv1")
    assert table is not None
    assert table["activation"].tolist() == [3.0] * 4 + [1.0] * 4
    assert {each.why for each in garbage(library, (), (), (), young=0) if each.path.is_relative_to(atlas.root)} == {
        "intermediate: all that is made of it is there"
    }
    assert atlas.add_build({}, []).startswith("0002-")


@pytest.mark.parametrize("content", [b"", b'{"tasks": [{"tech', b'{"tasks": [{"technique": "features"}]}', b"[]"])
def test_a_last_plan_that_is_damaged_is_not_the_last_one(tmp_path: Path, content: bytes) -> None:
    atlas = built(Library(tmp_path / "shelf"), tmp_path)
    (plan,) = atlas.root.glob("builds/*.json")
    assert atlas.last_build() == plan.stem
    plan.write_bytes(content)
    assert atlas.last_build() is None
    with pytest.raises(StrataError, match="is damaged"):
        atlas.planned(plan.stem)


def _unread(atlas: Atlas) -> Atlas:
    """The atlas as a process sees it that has not read it before."""
    return Atlas(atlas.root)
