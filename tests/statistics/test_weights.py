"""What weights tell, against known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis import encoding
from analysis.statistics.follow import Follow
from analysis.statistics.technique import NoParameters
from analysis.statistics.weights import (
    COLUMNS,
    FACTS,
    Filters,
    edge_ratio,
    filters_of,
    kernel_tiles,
    nearest_filters,
    smoothness,
    weights_facts,
    weights_table,
)
from analysis.statistics.weights_technique import Weights
from analysis.technique import Context, Request, Wanted
from tests.statistics.nets import Mixed, Residual, opened


def filters(weights: np.ndarray, groups: int = 1) -> Filters:
    return Filters(weights, np.zeros(len(weights)), groups)


@pytest.mark.parametrize("shape", [(16, 3, 3, 3), (64, 64, 3, 3), (128, 32, 1, 1), (512, 256, 3, 3)])
def test_random_weights_end_at_the_edge(shape: tuple[int, ...]) -> None:
    """0 of 635 random layers stood above 1.0496 (facts page)."""
    random = np.random.default_rng(0)
    for _ in range(3):
        ratio = edge_ratio(filters(random.normal(0, 0.02, shape)))
        assert ratio is not None
        assert 0.85 < ratio < 1.05


def test_a_direction_that_was_learned_stands_out() -> None:
    random = np.random.default_rng(0)
    weights = random.normal(0, 0.05, (64, 32, 3, 3))
    learned = weights + 0.05 * np.multiply.outer(random.normal(size=64), random.normal(size=(32, 3, 3)))
    assert edge_ratio(filters(learned)) > 1.3  # type: ignore[operator]
    assert edge_ratio(filters(weights[:2])) is None
    assert edge_ratio(filters(weights * 0)) is None


def test_copies_are_found_whatever_their_scale() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 27))
    rows[4] = -3 * rows[1]
    rows[5] = 0
    twin, cosine = nearest_filters(rows, 1)
    assert twin[[1, 4]].tolist() == [4, 1]
    np.testing.assert_allclose(cosine[[1, 4]], -1)
    assert twin[5] == -1
    assert np.isnan(cosine[5])
    assert (nearest_filters(rows, 6)[0] == -1).all()
    grouped = nearest_filters(np.concatenate([rows[:2], rows[:2]]), 2)[0]
    assert grouped.tolist() == [1, 0, 3, 2]


def test_smoothness() -> None:
    ramp = np.broadcast_to(np.linspace(-1, 1, 7), (2, 1, 7, 7))
    checks = np.indices((7, 7)).sum(0) % 2 * 2.0 - 1
    assert smoothness(ramp) > 0.5  # type: ignore[operator]
    assert smoothness(checks[None, None]) == pytest.approx(-1, abs=0.02)
    assert abs(smoothness(np.random.default_rng(0).normal(size=(64, 3, 3, 3))) + 0.125) < 0.05  # type: ignore[operator]
    assert smoothness(np.ones((4, 4, 1, 1))) is None


def test_the_weights_are_those_the_net_uses() -> None:
    model = opened(Residual)
    found = filters_of(model, "deep")
    assert found.groups == 4
    np.testing.assert_allclose(found.weights, model.module.deep.weight.numpy())
    up = filters_of(opened(Mixed), "up")
    np.testing.assert_allclose(up.weights, opened(Mixed).module.up.weight.numpy().swapaxes(0, 1))
    np.testing.assert_allclose(up.bias, opened(Mixed).module.up.bias.numpy())


def test_the_table_and_the_batch_normalisation() -> None:
    model = opened(Residual)
    (task,) = Weights().plan(Request(model.card, None, Wanted(("stem",)), NoParameters()))
    artifact = Weights().run(task, Context(lambda: model, _no_probe, {}))
    table = encoding.from_parquet(artifact["weights.parquet"])
    assert list(table.columns) == list(COLUMNS)
    np.testing.assert_allclose(table["norm"], model.module.stem.weight.flatten(1).norm(dim=1).numpy(), rtol=1e-6)
    np.testing.assert_allclose(table["gamma"], model.module.norm.weight.numpy())
    scale = model.module.norm.weight / (model.module.norm.running_var + 1e-5).sqrt()
    np.testing.assert_allclose(table["folded_norm"], table["norm"] * scale.abs().numpy(), rtol=1e-5)
    assert encoding.from_json(artifact["layer.json"]).keys() == FACTS.keys()
    assert encoding.from_picture(artifact["kernels.webp"]).shape == (144, 144, 3)


def test_weights_that_are_not_numbers_are_counted() -> None:
    weights = np.ones((3, 2, 3, 3))
    weights[1, 0, 0, 0], weights[1, 1, 0, 0] = np.nan, np.inf
    table = weights_table(filters(weights), Follow.nothing(3))
    assert table["nonfinite"].tolist() == [0, 2, 0]
    facts = weights_facts(filters(weights))
    assert facts["nonfinite"] == 2
    assert facts["edge_ratio"] is None


def test_kernels_are_shown_around_grey() -> None:
    kernel = torch.zeros(1, 3, 3, 3).numpy()
    kernel[0, 0, 1, 1], kernel[0, 2, 0, 0] = 2, -1
    tile = kernel_tiles(kernel, "RGB", 48)[0]
    assert tile[24, 24].tolist() == [255, 128, 128]
    assert tile[2, 2].tolist() == [128, 128, 64]
    assert kernel_tiles(kernel, "BGR", 48)[0][24, 24].tolist() == [128, 128, 255]
    assert kernel_tiles(np.zeros((4, 8, 3, 3)), "RGB", 48) == []


def _no_probe() -> object:
    raise AssertionError("weights need no images")
