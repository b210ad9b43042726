"""Layer-wide figures against known answers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.by_class import nearest_centroid, selectivity
from analysis.statistics.follow import Follow
from analysis.statistics.layer_facts import batch_norm_shift, layer_facts
from analysis.statistics.layer_state import Images, LayerState, Settings
from analysis.statistics.structure import structure_of, twins


def fed(
    maps: np.ndarray, labels: list[int] | None = None, follow: Follow | None = None, width: int = 256
) -> LayerState:
    count = len(maps)
    state = LayerState(follow or Follow.nothing(maps.shape[1]), Settings(keep=4, width=width))
    marks = np.full(count, -1) if labels is None else np.array(labels)
    state.update(maps.astype(np.float32), Images(np.arange(count), marks, np.ones(count, bool)))
    state.take_in()
    return state


def test_independent_channels_use_all_directions() -> None:
    """Participation ratio and effective rank of the unit covariance of C channels are C (facts page)."""
    rows = np.concatenate([np.eye(4), -np.eye(4)])[:, :, None, None]
    structure = structure_of(fed(rows))
    assert structure is not None
    assert structure.participation_ratio == pytest.approx(4)
    assert structure.effective_rank == pytest.approx(4)
    assert structure.k99 == 4


@pytest.mark.parametrize(("spectrum", "ratio"), [([1, 0, 0, 0], 1), ([0.5, 0.5, 0, 0], 2), ([0.25] * 4, 4)])
def test_spectra_of_known_dimension(spectrum: list[float], ratio: float) -> None:
    """The three spectra that delve's saturation gives 0, 1 and 3 for."""
    rows = np.concatenate([np.diag(np.sqrt(spectrum)), -np.diag(np.sqrt(spectrum))])[:, :, None, None]
    structure = structure_of(fed(rows))
    assert structure is not None
    assert structure.participation_ratio == pytest.approx(ratio, rel=1e-6)
    assert structure.effective_rank == pytest.approx(ratio, rel=1e-6)


def test_a_copied_channel_is_its_twin() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 5))
    rows[:, 3] = -2 * rows[:, 1] + 7
    rows[:, 4] = 1.5
    twin, correlation = twins(np.cov(rows, rowvar=False))
    assert twin[[1, 3]].tolist() == [3, 1]
    np.testing.assert_allclose(correlation[[1, 3]], -1, atol=1e-9)
    assert twin[4] == -1
    assert np.isnan(correlation[4])
    assert np.abs(correlation[[0, 2]]).max() < 0.3


def test_twins_in_wide_layers_are_told_from_the_drawn_images() -> None:
    rows = np.random.default_rng(1).normal(size=(40, 6, 1, 1))
    rows[:, 5] = rows[:, 0]
    for width, over, dimensions in ((0, "images", 6), (4, "positions", 4)):
        structure = structure_of(fed(rows, width=width))
        assert structure is not None
        assert (structure.over, structure.dimensions) == (over, dimensions)
        assert structure.twin[5] == 0
        assert structure.correlation[5] == pytest.approx(1)


@pytest.mark.parametrize("rank", [3, 10])
def test_a_sketch_of_a_wide_layer_finds_its_rank(rank: int) -> None:
    """Of 600 channels in 128 columns: directions that hold 99 %, and the participation ratio, as of all channels."""
    random = np.random.default_rng(rank)
    rows = random.normal(size=(3000, rank)) @ random.normal(size=(rank, 600))
    rows = rows.reshape(3000, 600, 1, 1)
    whole, sketch = structure_of(fed(rows, width=600)), structure_of(fed(rows, width=128))
    assert whole is not None
    assert sketch is not None
    assert whole.k99 == sketch.k99 == rank
    assert sketch.participation_ratio == pytest.approx(whole.participation_ratio, rel=0.15)
    assert sketch.effective_rank == pytest.approx(whole.effective_rank, rel=0.15)


def test_a_sketch_of_independent_channels_estimates_how_many_there_are() -> None:
    rows = np.random.default_rng(2).normal(size=(20000, 400, 1, 1))
    sketch = structure_of(fed(rows, width=128))
    assert sketch is not None
    assert sketch.participation_ratio == pytest.approx(400, rel=0.25)


def test_selectivity() -> None:
    means = np.array([[1.0, 2.0, 0.0, -1.0], [0.0, 2.0, 0.0, 3.0], [0.0, 2.0, 0.0, 1.0]])
    np.testing.assert_allclose(selectivity(means), [1, 0, np.nan, np.nan])
    assert np.isnan(selectivity(means[:1])).all()


def test_nearest_centroid_leaves_each_image_out() -> None:
    """With one image apart from its class, the class mean without it is far: it must not vouch for itself."""
    values = np.array([0.0, 0.1, 0.2, 10.0, 10.1, 10.2, 9.9])
    labels = [0, 0, 0, 1, 1, 1, 0]
    found = nearest_centroid(fed(values[:, None, None, None], labels))
    assert found is not None
    assert (found.images, found.classes) == (7, 2)
    assert found.accuracy == pytest.approx(6 / 7)


@pytest.mark.parametrize("labels", [None, [0, 0, 0, 0], [0, 1, 2, 3]], ids=["none", "one class", "one image a class"])
def test_what_labels_can_not_tell_is_said(labels: list[int] | None) -> None:
    state = fed(np.random.default_rng(0).normal(size=(4, 3, 2, 2)), labels)
    facts = layer_facts(state, structure_of(state))
    assert facts["nearest_centroid"] is None
    assert "two" in facts["needs"]["nearest_centroid"]


def test_one_image_and_equal_images() -> None:
    one = fed(np.ones((1, 3, 1, 1)))
    assert structure_of(one) is None
    equal = fed(np.ones((5, 3, 2, 2)))
    assert structure_of(equal) is None
    assert "two images" in layer_facts(equal, None)["needs"]["structure"]


def test_batch_norm_shift() -> None:
    maps = np.random.default_rng(0).normal(size=(50, 2, 8, 8)) * np.array([2, 3])[:, None, None] + 1
    norm = {"mean": np.array([0.0, 1.0]), "variance": np.array([1.0, 9.0]), "weight": np.ones(2), "bias": np.zeros(2)}
    unit = np.ones(2, np.float32)
    shift = batch_norm_shift(fed(maps, follow=Follow(unit, unit * 0, "relu", norm=norm)))
    assert shift is not None
    assert shift["z"] == pytest.approx(np.median([1, 0]), abs=0.1)
    assert shift["r"] == pytest.approx(np.median([2, 0]), abs=0.1)
    assert batch_norm_shift(fed(maps)) is None
    assert "not applicable" in layer_facts(fed(maps), None)["needs"]["batch_norm"]
