"""Channels that answer alike lie close on the map: planted groups are found again."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from analysis.statistics.map_technique import layout


def grouped(groups: int, each: int, noise: float = 0.3) -> np.ndarray:
    """The covariance of `groups` × `each` channels, those of a group following one signal at scales of their own."""
    draw = np.random.default_rng(0)
    signals = draw.normal(size=(4000, groups))
    channels = np.repeat(signals, each, axis=1) + noise * draw.normal(size=(4000, groups * each))
    return np.cov(channels * draw.uniform(0.1, 10, groups * each), rowvar=False)


ALWAYS = ["pca_x", "pca_y", "tsne_x", "tsne_y"]
UMAP = pytest.param(
    "umap",
    40,
    marks=pytest.mark.skipif(find_spec("umap") is None, reason="UMAP is an extra: pip install umap-learn"),
)


@pytest.mark.parametrize(("kind", "each"), [("tsne", 8), ("tsne", 40), UMAP])
def test_the_nearest_channels_are_of_the_same_group(kind: str, each: int) -> None:
    table = layout(grouped(4, each))
    assert table.equals(layout(grouped(4, each)))
    places = table[[f"{kind}_x", f"{kind}_y"]].to_numpy()
    far = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(far, np.inf)
    group = np.arange(4 * each) // each
    assert (group[far.argmin(axis=1)] == group).mean() == 1


def test_principal_coordinates_tell_two_groups_apart() -> None:
    table = layout(grouped(2, 10))
    group = np.arange(20) // 10
    points = table[["pca_x", "pca_y"]].to_numpy()
    inside = np.linalg.norm(points[group == 0] - points[group == 0].mean(axis=0), axis=1).max()
    between = np.linalg.norm(points[group == 0].mean(axis=0) - points[group == 1].mean(axis=0))
    assert between > 5 * inside


def test_channels_that_do_not_vary_have_no_place() -> None:
    covariance = grouped(2, 6)
    covariance[3] = covariance[:, 3] = 0
    table = layout(covariance)
    assert table["channel"].tolist() == list(range(12))
    assert table[ALWAYS].loc[3].isna().all()
    assert table[ALWAYS].drop(index=3).notna().all().all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_few_channels_are_laid_out_too(channels: int) -> None:
    assert layout(np.eye(channels))[ALWAYS].notna().all().all()


def test_nothing_that_varies_is_no_error() -> None:
    assert layout(np.zeros((3, 3)))["pca_x"].isna().all()


def test_the_same_covariance_gives_the_same_map() -> None:
    covariance = grouped(3, 30)
    assert layout(covariance).equals(layout(covariance))
