"""The same images, wherever they are; which are drawn; what can not be read."""

from __future__ import annotations

import gzip
import shutil
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from analysis.models.input_spec import InputSpec
from analysis.probe import open_probe
from analysis.probe.address import absolute
from analysis.probe.errors import ProbeError
from analysis.probe.labels import labels_from_paths
from analysis.probe.probe import ProbeCard
from tests.probe.pictures import picture, write_pictures

SPEC = InputSpec(3, 20, 24, crop=1.0)
COUNT = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "set", COUNT, classes=3)


def test_a_folder_a_class(folder: Path) -> None:
    probe = open_probe(str(folder))
    assert probe.card.count == COUNT
    assert probe.card.classes == ("class-0", "class-1", "class-2")
    assert probe.labels is not None
    assert np.bincount(probe.labels).tolist() == [4, 4, 4]
    assert probe.names[0] == "class-0/000.png"
    expected = picture(0).transpose(2, 0, 1) / np.float32(255)
    np.testing.assert_array_equal(probe.batch([0], SPEC)[0].numpy(), expected)
    np.testing.assert_array_equal(probe.batch([0], SPEC)[0].numpy(), expected)  # again, as kept
    assert ProbeCard.from_json(probe.card.to_json()) == probe.card


def test_tar_and_arrays_give_the_same_images(folder: Path, tmp_path: Path) -> None:
    probe = open_probe(str(folder))
    images = probe.batch(range(COUNT), SPEC)
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(folder, "set")
    stack = np.round(images.numpy() * 255).astype(np.uint8)
    np.savez(tmp_path / "set.npz", images=stack.transpose(0, 2, 3, 1), labels=probe.labels, classes=["a", "b", "c"])
    np.save(tmp_path / "set.npy", stack.astype(np.float32))
    for name in ("set.tar.gz", "set.npz", "set.npy"):
        other = open_probe(str(tmp_path / name))
        np.testing.assert_array_equal(other.batch(range(COUNT), SPEC).numpy(), images.numpy(), err_msg=name)
    assert open_probe(str(tmp_path / "set.npz")).card.classes == ("a", "b", "c")
    tar = open_probe(str(tmp_path / "set.tar.gz"))
    assert tar.card.classes == probe.card.classes
    np.testing.assert_array_equal(tar.labels, probe.labels)


def test_idx_with_labels_beside_it(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (5, 28, 28)).astype(np.uint8)
    head = struct.pack(">BBBBiii", 0, 0, 8, 3, 5, 28, 28)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
    labels = struct.pack(">BBBBi", 0, 0, 8, 1, 5) + bytes([3, 1, 4, 1, 5])
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(labels)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    for source in (tmp_path, tmp_path / "t10k-images-idx3-ubyte.gz"):
        probe = open_probe(str(source))
        np.testing.assert_array_equal(
            probe.batch(range(5), InputSpec(1, 28, 28, crop=1.0))[:, 0], images / np.float32(255)
        )
        assert probe.labels is not None
        assert probe.labels.tolist() == [3, 1, 4, 1, 5]


def test_torchvision(tmp_path: Path) -> None:
    """torchvision's own layout of FakeData needs no files."""
    with pytest.raises(ProbeError, match="can not be read"):
        open_probe(f"torchvision:CIFAR10:{tmp_path}")
    with pytest.raises(ProbeError, match="no dataset of torchvision"):
        open_probe("torchvision:NoSuch:/x")
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">BBBBiii", 0, 0, 8, 3, 2, 4, 4) + bytes(range(32)))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">BBBBi", 0, 0, 8, 1, 2) + bytes([7, 2]))
    probe = open_probe(f"torchvision:MNIST:{tmp_path}")
    assert probe.labels is not None
    assert probe.labels.tolist() == [7, 2]
    assert probe.card.classes[7] == "7 - seven"
    np.testing.assert_allclose(probe.batch([0], InputSpec(1, 4, 4, crop=1.0)).ravel(), np.arange(16) / 255, atol=1e-7)


def test_the_hash_is_of_content_order_and_labels(folder: Path, tmp_path: Path) -> None:
    first = open_probe(str(folder)).card.hash
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert open_probe(str(copy)).card.hash == first
    (copy / "class-0" / "000.png").rename(copy / "class-0" / "zzz.png")
    reordered = open_probe(str(copy)).card.hash
    assert reordered != first
    (copy / "class-0" / "zzz.png").rename(copy / "class-1" / "000.png")
    assert open_probe(str(copy)).card.hash not in {first, reordered}
    Image.fromarray(picture(99)).save(copy / "class-1" / "000.png")
    assert len({first, reordered, open_probe(str(copy)).card.hash}) == 3


def test_a_subset_is_seeded_and_even_over_the_classes(folder: Path) -> None:
    some = open_probe(str(folder), count=6, seed=1)
    assert some.labels is not None
    assert np.bincount(some.labels).tolist() == [2, 2, 2]
    assert open_probe(str(folder), count=6, seed=1).card.hash == some.card.hash
    assert len({open_probe(str(folder), count=6, seed=seed).card.hash for seed in range(4)}) > 1
    assert open_probe(str(folder), count=500).card.count == COUNT
    again = open_probe(some.card.source, **some.card.options)
    assert again.card == some.card
    with pytest.raises(ProbeError, match="measures nothing"):
        open_probe(str(folder), count=0)


def test_unreadable_images_are_skipped_counted_and_named(folder: Path) -> None:
    whole = (folder / "class-0" / "000.png").read_bytes()
    (folder / "class-0" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "class-1" / "empty.jpg").write_bytes(b"")
    (folder / "class-2" / "text.png").write_text("no picture")
    (folder / "class-2" / "notes.txt").write_text("not even named like one")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.png").write_bytes(whole)
    card = open_probe(str(folder)).card
    assert card.count == COUNT
    assert dict(card.skipped).keys() == {"class-0/cut.png", "class-1/empty.jpg", "class-2/text.png"}
    reasons = dict(card.skipped)
    assert reasons["class-1/empty.jpg"] == "the file is empty"
    assert reasons["class-2/text.png"] == "no known image format"
    assert open_probe(str(folder), count=COUNT).card.count == COUNT


def test_images_of_other_channels_than_the_model_s_are_left_out_and_named(folder: Path) -> None:
    """One odd file in a folder must not end the build of all the others."""
    tifffile.imwrite(folder / "class-0" / "five.tif", np.zeros((5, 8, 8), np.uint16), photometric="minisblack")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "class-0" / "grey.png")
    probe = open_probe(str(folder), channels=3)
    assert probe.card.count == COUNT + 1
    assert probe.card.skipped == (("class-0/five.tif", "it has 5 channels and the model wants 3"),)
    assert len(probe.batch(range(COUNT + 1), InputSpec(3, 8, 8))) == COUNT + 1
    assert open_probe(probe.card.source, **probe.card.options).card == probe.card
    assert open_probe(str(folder), count=COUNT, channels=3).card.count == COUNT
    assert open_probe(str(folder), channels=5).card.count == 2, "grey is given to any"
    (folder / "class-0" / "grey.png").unlink()
    with pytest.raises(ProbeError, match=r"of class-0/000\.png, for one: it has 3 channels and the model wants 7"):
        open_probe(str(folder), channels=7)


def test_an_address_holds_in_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("images") == absolute(Path("images")) == str(tmp_path / "images")
    assert absolute("/images") == "/images"
    assert absolute("torchvision:MNIST:data") == f"torchvision:MNIST:{tmp_path / 'data'}"
    assert absolute("torchvision:MNIST:/a:b") == "torchvision:MNIST:/a:b"
    assert absolute("torchvision:MNIST") == "torchvision:MNIST"


def test_what_is_no_probe_gets_its_own_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_text("x")
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.tar").write_bytes(b"no tar at all")
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 broken")
    np.savez(tmp_path / "d.npz", numbers=np.arange(5))
    np.save(tmp_path / "e.npy", np.arange(5))
    np.save(tmp_path / "f.npy", np.full((3, 4, 4), -1.0))
    np.savez(tmp_path / "g.npz", images=np.zeros((3, 4, 4)), labels=np.arange(3), y=np.arange(2))
    for name, words in {
        "nowhere": "nothing at",
        "empty": "holds no images",
        "bad": "None of the 1 images",
        "a.txt": "no set of images",
        "b.tar": "no whole tar",
        "c.npz": "no .npz of plain arrays",
        "d.npz": "no array of images",
        "e.npy": "no images",
        "f.npy": "no intensities",
    }.items():
        with pytest.raises(ProbeError, match=words):
            open_probe(str(tmp_path / name))
    assert open_probe(str(tmp_path / "g.npz")).card.count == 3


def test_one_image_is_a_probe(tmp_path: Path) -> None:
    Image.fromarray(picture(1)).save(tmp_path / "one.png")
    probe = open_probe(str(tmp_path / "one.png"))
    assert probe.card.count == 1
    assert probe.labels is None
    assert open_probe(str(tmp_path)).card.hash == probe.card.hash


def test_an_image_that_went_away_says_so(folder: Path) -> None:
    probe = open_probe(str(folder))
    (folder / "class-0" / "003.png").unlink()
    with pytest.raises(ProbeError, match=r"003\.png can not be read any more"):
        probe.batch([probe.names.index("class-0/003.png")], SPEC)


def test_labels_of_paths() -> None:
    def labels(*paths: str) -> tuple[list[int] | None, tuple[str, ...]]:
        numbers, classes = labels_from_paths(paths)
        return None if numbers is None else numbers.tolist(), classes

    assert labels("a/1.png", "b/2.png", "a/3.png") == ([0, 1, 0], ("a", "b"))
    assert labels("set/a/1.png", "set/b/x/2.png") == ([0, 1], ("a", "b"))
    assert labels("train/a/1.png", "val/a/2.png", "val/b/3.png") == ([0, 0, 1], ("a", "b"))
    assert labels("a/1.png", "2.png") == (None, ())
    assert labels("a/1.png", "a/2.png") == (None, ())
    assert labels("1.png") == (None, ())


def test_class_names_from_a_file(folder: Path) -> None:
    (folder / "classes.txt").write_text("class-0 tench\nclass-2, golf ball\n")
    assert open_probe(str(folder)).card.classes == ("tench", "class-1", "golf ball")
    (folder / "classes.txt").write_text("cat\nbig dog\nbird\n")
    assert open_probe(str(folder)).card.classes == ("cat", "big dog", "bird")


def test_class_names_come_from_a_file_in_the_archive(folder: Path, tmp_path: Path) -> None:
    (folder / "classes.txt").write_text("cat\nbig dog\nbird\n")
    with tarfile.open(tmp_path / "images.tar", "w") as archive:
        archive.add(folder, "set")
    assert open_probe(str(tmp_path / "images.tar")).card.classes == ("cat", "big dog", "bird")
