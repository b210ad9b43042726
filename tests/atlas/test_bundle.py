import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.atlas.artifacts import folder_of
from analysis.atlas.bundle import export_atlas, import_atlas
from analysis.atlas.files import files_below, remove, write_atomically
from analysis.atlas.library import Library
from analysis.atlas.notes import add_note, notes_about
from analysis.atlas.verify import verify
from analysis.encoding import to_json
from analysis.errors import StrataError
from tests.atlas.built import PICTURES, WEIGHTS, built
from tests.atlas.synthetic import features_artifact, features_task


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    home = Library(tmp_path / "home")
    export_atlas(home, built(home, tmp_path), tmp_path / "net.zip")
    return tmp_path / "net.zip"


def test_an_atlas_goes_elsewhere_with_everything(library: Library, tmp_path: Path) -> None:
    atlas = built(library, tmp_path)
    write_atomically(atlas.root / ".drafts" / "0" / "half", b"x")
    out = tmp_path / "net.zip"
    assert export_atlas(library, atlas, out) is None
    first = out.read_bytes()
    export_atlas(library, atlas, out)
    assert out.read_bytes() == first

    elsewhere = Library(tmp_path / "elsewhere – ü")
    there = import_atlas(elsewhere, out)
    assert list(verify(elsewhere, there)) == []
    assert there.progress() == atlas.progress()
    assert elsewhere.model(atlas.model.id)[1].read_bytes() == WEIGHTS
    mine, theirs = files_below(library.root), files_below(elsewhere.root)
    unopened = f"models/{atlas.model.id}/unopened"
    assert set(theirs) == {unopened, *(name for name in mine if ".drafts" not in name)}
    for name in theirs:
        if not name.endswith(("card.json", "atlas.json", unopened)):
            assert (elsewhere.root / name).read_bytes() == (library.root / name).read_bytes(), name


def test_a_model_from_elsewhere_may_not_run_code_of_its_own(bundle: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "elsewhere")
    atlas = import_atlas(library, bundle)
    assert dict(atlas.model.options) == {"architecture": "net.py:Net"}
    assert dict(library.model(atlas.model.id)[0].options) == {"architecture": "net.py:Net"}


def test_what_is_there_stays_and_what_is_missing_comes(bundle: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "elsewhere")
    atlas = import_atlas(library, bundle)
    own = features_task("conv1", (0, 4), steps=99)
    atlas.add_build({"request": "mine"}, [own])
    atlas.artifacts.write(own, features_artifact(range(4), 2.0))
    remove(atlas.root / folder_of(PICTURES[1]))
    (atlas.root / folder_of(PICTURES[2]) / "task.json").unlink()
    again = import_atlas(library, bundle)
    assert [build["request"] for build in again.builds()][-1] == "mine"
    assert len(again.builds()) == 2
    assert list(verify(library, again)) == []
    table = again.features("conv1")
    assert table is not None
    assert table["activation"].tolist() == [2.0] * 4 + [1.0] * 4


def test_what_was_changed_since_the_export_stays_and_what_was_damaged_is_healed(bundle: Path, tmp_path: Path) -> None:
    home = Library(tmp_path / "home")
    (atlas,) = home.atlases()
    note = add_note(atlas, "conv1", 3, "Ada", "first")
    export_atlas(home, atlas, bundle)
    (file,) = (atlas.root / "notes").rglob("*.json")
    write_atomically(file, to_json({**vars(note), "text": "written anew"}))
    write_atomically(atlas.root / folder_of(PICTURES[0]) / "facts.json", b"{}")
    import_atlas(home, bundle)
    assert [each.text for each in notes_about(atlas, "conv1")] == ["written anew"]
    assert list(verify(home, atlas)) == []


@pytest.mark.parametrize("name", ["facts.json", "features.parquet", "task.json"])
def test_an_artifact_that_is_not_what_was_sealed_is_refused_before_a_byte_is_written(
    bundle: Path, tmp_path: Path, name: str
) -> None:
    (atlas,) = Library(tmp_path / "home").atlases()
    changed = rewritten(bundle, {f"atlases/{atlas.id}/{folder_of(PICTURES[0])}/{name}": b"other"})
    library = Library(tmp_path / "elsewhere")
    with pytest.raises(StrataError, match="Run `strata verify` where it comes from"):
        import_atlas(library, changed)
    assert not library.root.exists()


def test_another_file_under_a_models_name_is_refused_here_and_elsewhere(bundle: Path, tmp_path: Path) -> None:
    home, elsewhere = Library(tmp_path / "home"), Library(tmp_path / "elsewhere")
    (card,) = home.models()
    changed = rewritten(bundle, {f"models/{card.id}/my net.onnx": b"runs code of its own"})
    for library in (home, elsewhere):
        with pytest.raises(StrataError, match="not the one its atlas was made of"):
            import_atlas(library, changed)
    assert home.model(card.id)[1].read_bytes() == WEIGHTS
    assert home.model(card.id)[0].options["trust"] is True
    assert not elsewhere.root.exists()


def test_a_model_of_the_same_name_and_other_content_stays(bundle: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "elsewhere")
    (card,) = Library(tmp_path / "home").models()
    file = tmp_path / "other.onnx"
    file.write_bytes(b"other")
    library.add_model(replace(card, sha256="0" * 64), file)
    with pytest.raises(StrataError, match="made of another model than"):
        import_atlas(library, bundle)
    assert library.atlases() == []


@pytest.mark.parametrize("lost", [True, False])
def test_a_model_that_is_gone_or_another_one_stays_behind_and_the_export_says_so(tmp_path: Path, lost: bool) -> None:
    home = Library(tmp_path / "home")
    atlas = built(home, tmp_path)
    model = home.model(atlas.model.id)[1]
    if lost:
        remove(model.parent)
    else:
        model.write_bytes(b"other")
    what = export_atlas(home, atlas, tmp_path / "net.zip")
    assert ("is not there" if lost else "is not the file that was opened") in str(what)
    elsewhere = Library(tmp_path / "elsewhere")
    there = import_atlas(elsewhere, tmp_path / "net.zip")
    assert there.features("conv1") is not None
    assert elsewhere.models() == []


def rewritten(bundle: Path, names: dict[str, bytes | None], mode: int = stat.S_IFREG) -> Path:
    """The bundle with these members changed, added or (None) left out."""
    out = bundle.with_name("changed.zip")
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name not in names:
                new.writestr(name, old.read(name))
        for name, content in names.items():
            if content is not None:
                facts = zipfile.ZipInfo(name)
                facts.external_attr = mode << 16
                new.writestr(facts, content)
    return out


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/etc/evil", "atlases/../../evil", "atlases/other.00000000/atlas.json", "evil",
        "models/net-0aa6111c/../../../evil", "models/net-0aa6111c/.hidden", "models\\evil", "C:/evil", "jobs/1/cancel",
        "models/net-0aa6111c",
    ],
)  # fmt: skip
def test_a_name_that_leads_out_of_the_bundles_folders_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    library = Library(tmp_path / "a" / "b" / "elsewhere")
    with pytest.raises(StrataError, match="belongs to no atlas"):
        import_atlas(library, rewritten(bundle, {name: b"x"}))
    assert not library.root.exists()
    assert not list(tmp_path.rglob("evil"))


def test_a_link_is_refused(bundle: Path, tmp_path: Path) -> None:
    link = rewritten(bundle, {"models/net-0aa6111c/link": b"/etc/passwd"}, stat.S_IFLNK)
    with pytest.raises(StrataError, match="belongs to no atlas"):
        import_atlas(Library(tmp_path / "elsewhere"), link)


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (None, "no bundle of Strata's"),
        (b"{", "no bundle of Strata's"),
        (to_json({"format": 2, "atlas": "..", "model": "m"}), "no bundle of Strata's"),
        (to_json({"format": 2, "atlas": "a/b", "model": "m"}), "no bundle of Strata's"),
        (to_json({"format": 99, "atlas": "a", "model": "m"}), "newer Strata"),
    ],
)
def test_what_is_no_bundle_or_a_newer_one_is_a_sentence(
    bundle: Path, tmp_path: Path, head: bytes | None, sentence: str
) -> None:
    with pytest.raises(StrataError, match=sentence):
        import_atlas(Library(tmp_path / "elsewhere"), rewritten(bundle, {"strata.json": head}))


def test_a_bundle_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StrataError, match="can not be imported"):
        import_atlas(Library(tmp_path / "elsewhere"), tmp_path / "nothing.zip")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1), flip=st.integers(1, 255))
def test_a_damaged_bundle_is_refused_or_makes_no_difference(bundle: Path, where: float, flip: int) -> None:
    content = bytearray(bundle.read_bytes())
    content[int(where * (len(content) - 1))] ^= flip
    damaged = bundle.with_name("damaged.zip")
    damaged.write_bytes(content)
    library = Library(bundle.parent / "damaged library")
    try:
        atlas = import_atlas(library, damaged)
    except StrataError:
        assert library.atlases() == []
    else:
        assert [damage for damage in verify(library, atlas) if "plan" not in damage.what] == []
    remove(library.root)


def test_a_shortened_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.zip"
    short.write_bytes(bundle.read_bytes()[:-200])
    with pytest.raises(StrataError, match="Export it again"):
        import_atlas(Library(tmp_path / "elsewhere"), short)
