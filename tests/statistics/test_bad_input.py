"""Images that say little or nothing: every table is made all the same, and says what it would need to say more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from analysis.atlas.atlas import Atlas
from analysis.findings.find import find, missing
from analysis.models.model import Model
from analysis.probe import open_probe
from analysis.probe.errors import ProbeError
from analysis.statistics.by_class import nearest_centroid, selectivity
from analysis.statistics.following import follows_of
from analysis.statistics.layer_state import Settings
from analysis.statistics.pass_over import measure
from tests.findings.atlases import READ, atlas_of
from tests.probe.pictures import picture, write_pictures
from tests.statistics.nets import Residual, opened

EVERYTHING = READ | {"outputs": {}, "images": {}}


def measured(folder: Path, images: Path, model: Model | None = None) -> Atlas:
    """All tables of all techniques; findings are asked for as well, and must not fail."""
    atlas = atlas_of(model or opened(Residual), open_probe(str(images)), folder / "library", EVERYTHING)
    for finding in find(atlas):
        json.dumps(finding.to_json(), allow_nan=False)
    missing(atlas)
    return atlas


def predictions(atlas: Atlas) -> dict[str, object]:
    (task,) = atlas.tasks("outputs")
    found: dict[str, object] = json.loads(atlas.artifacts.read(task)["predictions.json"])
    return found


def needs(atlas: Atlas, layer: str = "stem") -> dict[str, str]:
    facts = atlas.layer_facts("statistics", layer)
    assert facts is not None
    return dict(facts["needs"])


def test_no_images_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProbeError, match="no images"):
        open_probe(str(tmp_path / "empty"))


def test_one_image(tmp_path: Path) -> None:
    atlas = measured(tmp_path, write_pictures(tmp_path / "images", 1))
    table = atlas.statistics("stem")
    assert table is not None
    assert (table["images"] == 1).all()
    assert (table["peak_std"] == 0).all()
    assert (table["peak_min"] == table["peak_max"]).all()
    assert "two classes" in needs(atlas)["nearest_centroid"]
    assert predictions(atlas)["accuracy"] is None


def test_the_same_image_many_times(tmp_path: Path) -> None:
    one = next(write_pictures(tmp_path / "one", 1).rglob("*.png"))
    images = tmp_path / "images"
    images.mkdir()
    for number in range(6):
        shutil.copyfile(one, images / f"{number}.png")
    atlas = measured(tmp_path, images)
    table, exemplars = atlas.statistics("stem"), atlas.exemplars("stem")
    assert table is not None
    assert exemplars is not None
    np.testing.assert_allclose(table["peak_std"], 0, atol=1e-7)
    np.testing.assert_allclose(table["image_mean_std"], 0, atol=1e-7)
    for _, rows in exemplars.groupby("channel"):
        assert sorted(rows["image"]) == list(range(6)), "ties go to the lower number, none comes twice"


def test_images_of_one_flat_colour(tmp_path: Path) -> None:
    """Maps that do not vary inside, only where the border's padding shows."""
    for number in range(4):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("RGB", (20, 20), (90, 120, 60)).save(tmp_path / "images" / f"{number}.png")
    table = measured(tmp_path, tmp_path / "images").statistics("deep")
    assert table is not None
    assert np.isfinite(table[["mean", "std", "p50", "peak_mean"]]).all(axis=None)


def test_labels_of_a_single_class(tmp_path: Path) -> None:
    pixels = np.stack([picture(seed) for seed in range(6)])
    np.savez(tmp_path / "images.npz", images=pixels, labels=np.zeros(6, np.int64))
    atlas = measured(tmp_path, tmp_path / "images.npz")
    table = atlas.statistics("stem")
    assert table is not None
    assert table["selectivity"].isna().all()
    assert "two classes" in needs(atlas)["nearest_centroid"]
    assert "classes" in str(predictions(atlas)["needs"])


def test_a_class_with_one_image(tmp_path: Path) -> None:
    """It has no other image to be told by, so it is not tested; the other classes are."""
    images = write_pictures(tmp_path / "images", 9, classes=2)
    alone = images / "class-9"
    alone.mkdir()
    shutil.copyfile(next(images.rglob("*.png")), alone / "alone.png")
    facts = measured(tmp_path, images).layer_facts("statistics", "stem")
    assert facts is not None
    assert facts["nearest_centroid"]["images"] == 9
    assert facts["nearest_centroid"]["classes"] == 3


def test_an_image_that_fails_to_decode_is_left_out_and_named(tmp_path: Path) -> None:
    images = write_pictures(tmp_path / "images", 5)
    (images / "broken.png").write_bytes(b"\x89PNG, no more")
    atlas = measured(tmp_path, images)
    assert atlas.probe is not None
    assert [name for name, _ in atlas.probe.skipped] == ["broken.png"]
    table = atlas.statistics("stem")
    assert table is not None
    assert (table["images"] == 5).all()


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_activations_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    """They are counted and left out; the model says nothing of them but that."""
    model = opened(Residual)
    model.module.stem.weight.data[:] = value
    atlas = measured(tmp_path, write_pictures(tmp_path / "images", 4, classes=2), model)
    table, exemplars = atlas.statistics("stem"), atlas.exemplars("stem")
    assert table is not None
    assert exemplars is not None
    assert (table["count"] == 0).all()
    assert (table["nonfinite"] == 4 * 64).all()
    assert table[["mean", "std", "p50", "peak_max"]].isna().all(axis=None)
    assert exemplars.empty
    assert "nonfinite" in {finding.rule for finding in find(atlas)}


class NoneInTheDark(Residual):
    """NaN from the second convolution on, for images darker than a threshold."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lit = torch.sqrt(x.mean((1, 2, 3), keepdim=True))
        x = functional.relu(self.norm(self.stem(x)))
        x = functional.relu(self.deep_norm(self.deep(x * (lit / lit))))
        return self.head(x.mean((2, 3)))


def test_an_image_of_which_nothing_is_a_number_counts_nowhere(tmp_path: Path) -> None:
    """Not as 0 either: class means, selectivity and the nearest centroid are those of the other images."""
    pixels = np.stack([picture(seed) for seed in range(18)]).astype(np.float32) / 255 * 0.4 + 0.6
    labels, dark = np.arange(18) % 3, np.isin(np.arange(18), [0, 5, 7])
    labels[7] = 3  # a class of no other image
    pixels[dark] *= 0.2
    np.savez(tmp_path / "images.npz", images=pixels, labels=labels, classes=np.array(["a", "b", "c", "night"]))
    model = opened(NoneInTheDark)
    atlas = measured(tmp_path, tmp_path / "images.npz", model)
    np.savez(tmp_path / "lit.npz", images=pixels[~dark], labels=labels[~dark])
    state, lit = (
        measure(model, probe, range(probe.card.count), ["deep"], follows_of(model), Settings()).layers["deep"]
        for probe in (open_probe(str(tmp_path / name)) for name in ("images.npz", "lit.npz"))
    )
    (known, means), (_, expected) = state.classes.means(), lit.classes.means()
    assert known.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(means[:3], expected, rtol=1e-4, atol=1e-6)
    assert np.isnan(means[3]).all()
    np.testing.assert_allclose(selectivity(means), selectivity(expected), rtol=1e-3, atol=1e-5)
    assert np.isfinite(selectivity(means)).any()
    assert nearest_centroid(state) == nearest_centroid(lit)
    table = atlas.statistics("deep")
    assert table is not None
    assert (table["nonfinite"] == 3 * 64).all()
    assert [sorted(names) for names in table["classes"]] == [["a", "b", "c"]] * 8
    assert np.isfinite(np.stack(table["class_means"])).all()
