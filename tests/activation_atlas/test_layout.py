"""What points the same way lies close; cells hold what lies in them; a cell's direction tells it from all else."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.activation_atlas.directions import directions_of
from analysis.activation_atlas.layout import cut, grid_for, lay_out
from analysis.activation_atlas.positions import drawn_places, passed_on
from analysis.statistics.follow import Follow


def grouped(groups: int, each: int, channels: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """(vectors, group of each): each group about a direction of its own, of any length."""
    draw = np.random.default_rng(0)
    ways = np.eye(channels)[:groups]
    group = np.repeat(np.arange(groups), each)
    noise = 0.1 * draw.normal(size=(groups * each, channels))
    return (ways[group] + noise) * draw.uniform(0.2, 9, (groups * each, 1)), group


def test_vectors_that_point_the_same_way_lie_close_whatever_their_length() -> None:
    vectors, group = grouped(4, 30)
    places = lay_out(vectors)
    assert places.min() >= 0
    assert places.max() <= 1
    far = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(far, np.inf)
    assert (group[far.argmin(axis=1)] == group).mean() == 1
    np.testing.assert_array_equal(places, lay_out(vectors))


@pytest.mark.parametrize("count", [1, 3, 8])
def test_few_vectors_are_laid_out_too(count: int) -> None:
    assert np.isfinite(lay_out(grouped(1, count)[0])).all()


def test_every_place_is_in_the_cell_that_it_lies_in() -> None:
    places = np.array([[0.0, 0.0], [0.1, 0.1], [0.99, 0.0], [1.0, 1.0], [0.9, 0.9], [0.95, 0.7]])
    cells = cut(places, (4, 2), fewest=2)
    assert [(cell.column, cell.row, cell.members.tolist()) for cell in cells] == [(0, 0, [0, 1]), (3, 1, [3, 4, 5])]


def test_few_vectors_get_few_cells() -> None:
    assert grid_for(4000, 24) == (24, 10)
    columns, rows = grid_for(100, 24)
    assert columns * rows <= 100 / 8
    assert grid_for(1, 24) == (1, 1)


def test_a_direction_is_what_tells_a_cell_from_all_else() -> None:
    draw = np.random.default_rng(0)
    vectors = 0.1 * draw.normal(size=(400, 6))
    vectors[:, 0] += 5 * draw.normal(size=400)  # loud everywhere, and says nothing of where
    vectors[:200, 3] += 2
    places = np.column_stack([np.repeat([0.25, 0.75], 200), np.full(400, 0.5)])
    found = directions_of(vectors, places, cut(places, (2, 1), 1), (2, 1))
    assert np.abs(found.ways).argmax(axis=1).tolist() == [3, 3]
    assert found.ways[0, 3] > 0 > found.ways[1, 3]
    np.testing.assert_allclose(np.linalg.norm(found.ways, axis=1), 1)


@pytest.mark.parametrize(("size", "border"), [((13, 9), 1), ((4, 7), 0), ((1, 1), 0)])
def test_places_are_different_and_off_the_border(size: tuple[int, int], border: int) -> None:
    y, x = drawn_places(size, 1000, np.random.default_rng(0))
    inner = (size[0] - 2 * border) * (size[1] - 2 * border)
    assert len(set(zip(y.tolist(), x.tolist(), strict=True))) == len(y) == inner
    assert border <= y.min() <= y.max() < size[0] - border
    assert border <= x.min() <= x.max() < size[1] - border


def test_the_next_layer_gets_what_norm_and_activation_let_through() -> None:
    follow = Follow(np.array([2.0, -1.0], np.float32), np.array([1.0, 0.0], np.float32), "relu")
    vectors = np.array([[-3.0, -3.0], [1.0, 1.0]], np.float32)
    assert passed_on(vectors, follow).tolist() == [[0, 3], [3, 0]]
