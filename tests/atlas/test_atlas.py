from dataclasses import replace
from pathlib import Path

import pytest

from analysis.atlas.atlas import Progress
from analysis.atlas.library import Library
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError
from tests.atlas.synthetic import features_artifact, features_task, model_card, probe_card


def test_an_atlas_fills_while_it_is_read(tmp_path: Path) -> None:
    atlas = Library(tmp_path).create_atlas(model_card(), probe_card())
    tasks = [features_task("conv1", (0, 4)), features_task("conv1", (4, 8)), features_task("conv2", (0, 8))]
    atlas.add_build({"created": "now"}, tasks)
    assert atlas.features("conv1") is None
    assert atlas.progress() == [Progress("features", 0, 0, 3)]

    atlas.artifacts.write(tasks[1], features_artifact(range(4, 8), 1.0))
    atlas.artifacts.fail(tasks[2], "out of memory")
    table = atlas.features("conv1")
    assert table is not None
    assert table["channel"].tolist() == [4, 5, 6, 7]
    assert atlas.progress() == [Progress("features", 1, 1, 3)]
    assert [(task.layer, reason) for task, reason in atlas.failures()] == [("conv2", "out of memory")]
    assert atlas.facts(table["folder"][0])["columns"] == 4

    atlas.artifacts.write(tasks[0], features_artifact(range(4), 2.0))
    table = atlas.features("conv1")
    assert table is not None
    assert table["channel"].tolist() == list(range(8))
    assert table["activation"].tolist() == [2.0] * 4 + [1.0] * 4


def test_a_later_build_wins_channel_by_channel_and_the_older_stays(tmp_path: Path) -> None:
    atlas = Library(tmp_path).create_atlas(model_card(), probe_card())
    old, new = features_task("conv1", (0, 8), steps=8), features_task("conv1", (0, 2), steps=64)
    atlas.add_build({}, [old])
    atlas.artifacts.write(old, features_artifact(range(8), 1.0))
    atlas.add_build({}, [new])
    atlas.artifacts.write(new, features_artifact(range(2), 3.0))
    table = atlas.features("conv1")
    assert table is not None
    assert table["activation"].tolist() == [3.0, 3.0] + [1.0] * 6
    assert atlas.artifacts.has(old)

    atlas.add_build({}, [old])  # asked for again: what was planned last counts
    table = atlas.features("conv1")
    assert table is not None
    assert table["activation"].tolist() == [1.0] * 8


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/net.onnx", "a/../../b"])
@pytest.mark.parametrize("which", ["file", "side file"])
def test_a_card_that_names_a_file_elsewhere_is_not_believed(tmp_path: Path, name: str, which: str) -> None:
    """A card comes with a bundle, from anybody; `strata verify` removes what does not fit it."""
    library = Library(tmp_path / "library")
    (tmp_path / "net.onnx").write_bytes(b"x")
    card = model_card()
    library.add_model(card, tmp_path / "net.onnx")
    path = library.root / "models" / card.id / "card.json"
    facts = from_json(path.read_bytes())
    if which == "file":
        facts["file"] = name
    else:
        facts["card"]["side_files"] = [name]
    path.write_bytes(to_json(facts))
    with pytest.raises(StrataError, match="can not be read"):
        library.model(card.id)
    assert library.models() == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"file": 3, "card": {}}'])
def test_a_damaged_card_is_told_and_hides_no_other(tmp_path: Path, content: bytes) -> None:
    library = Library(tmp_path / "library")
    (tmp_path / "net.onnx").write_bytes(b"x")
    library.add_model(model_card(), tmp_path / "net.onnx")
    (library.root / "models" / "broken").mkdir()
    (library.root / "models" / "broken" / "card.json").write_bytes(content)
    with pytest.raises(StrataError, match="can not be read"):
        library.model("broken")
    assert [card.id for card in library.models()] == [model_card().id]


def test_an_atlas_says_its_model_as_it_is_known_today(tmp_path: Path) -> None:
    library, card = Library(tmp_path), model_card()
    library.create_atlas(card, probe_card())
    corrected = replace(card, input=replace(card.input, order="BGR"))
    atlas = library.create_atlas(corrected, probe_card())
    assert atlas.model.input.order == "BGR"
    assert library.atlas(atlas.id).model == corrected


def test_no_file_outside_of_the_atlas_is_served(tmp_path: Path) -> None:
    atlas = Library(tmp_path).create_atlas(model_card(), probe_card())
    (tmp_path / "secret").write_text("secret")
    assert atlas.path("atlas.json").exists()
    for path in ("../../secret", "/etc/passwd", "features/../../../secret"):
        with pytest.raises(StrataError, match="not a file of this atlas"):
            atlas.path(path)


def test_an_atlas_of_a_newer_format_is_refused_with_a_sentence(tmp_path: Path) -> None:
    atlas = Library(tmp_path).create_atlas(model_card(), probe_card())
    manifest = from_json((atlas.root / "atlas.json").read_bytes())
    (atlas.root / "atlas.json").write_bytes(to_json({**manifest, "format": 99}))
    with pytest.raises(StrataError, match="newer Strata"):
        _ = atlas.model


def test_a_library_finds_an_atlas_by_what_a_person_types(tmp_path: Path) -> None:
    library = Library(tmp_path)
    one = library.create_atlas(model_card("squeezenet"), probe_card())
    other = library.create_atlas(model_card("squeezenet"), probe_card("99999999"))
    net = library.create_atlas(model_card("resnet", "87654321" + "0" * 56), None)
    assert library.atlas(one.id).id == one.id
    assert library.atlas("squeezenet-12345678").id == other.id  # the newest of the model's
    assert library.atlas("resn").id == net.id
    with pytest.raises(StrataError, match="nearest is resnet-87654321"):
        library.atlas("resnet-87654322.no-images")
    with pytest.raises(StrataError, match=f"What there is: {net.id}, {other.id}, {one.id}"):
        library.atlas("something else")
    with pytest.raises(StrataError, match="There is no library"):
        Library(tmp_path / "none").atlas("x")


def test_the_name_that_the_screens_show_is_enough_and_what_it_may_mean_is_listed(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    (tmp_path / "net.onnx").write_bytes(b"weights")
    cards = [model_card("doodles"), model_card("doodles-early", "87654321" + "0" * 56)]
    atlases = [library.create_atlas(card, None) for card in cards]
    for card, atlas in zip(cards, atlases, strict=True):
        library.add_model(card, tmp_path / "net.onnx")
        assert library.model(card.name)[0] == card
        assert library.atlas(card.name).id == atlas.id
    for find, ids in ((library.model, [card.id for card in cards]), (library.atlas, [atlas.id for atlas in atlases])):
        with pytest.raises(StrataError, match="Write more of the name") as told:
            find("dood")
        assert all(each in str(told.value) for each in ids)
    library.create_atlas(model_card("doodles", "abcdef01" + "0" * 56), None)
    with pytest.raises(StrataError, match=r"may be doodles-abcdef01\.no-images or doodles-12345678\.no-images"):
        library.atlas("doodles")


def test_the_library_keeps_the_model_file_and_its_card(tmp_path: Path) -> None:
    file = tmp_path / "my net.onnx"
    file.write_bytes(b"weights")
    library = Library(tmp_path / "library")
    kept = library.add_model(model_card(), file)
    file.unlink()
    card, path = library.model(model_card().id)
    assert card == model_card()
    assert path == kept
    assert path.read_bytes() == b"weights"
    with pytest.raises(StrataError, match="nearest is net-12345678"):
        library.model("net-12345687")
