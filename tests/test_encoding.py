import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import encoding


def test_a_table_reads_back_with_its_list_columns() -> None:
    table = pd.DataFrame({"channel": [0, 1], "mean": [0.5, float("nan")], "histogram": [[1, 2], [3, 4]]})
    back = encoding.from_parquet(encoding.to_parquet(table))
    pd.testing.assert_frame_equal(back.drop(columns="histogram"), table.drop(columns="histogram"))
    assert [list(row) for row in back["histogram"]] == [[1, 2], [3, 4]]


def test_the_same_arrays_give_the_same_bytes_at_another_time() -> None:
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False])}
    first = encoding.to_npz(arrays)
    time.sleep(2.1)  # zip members carry a time of two seconds' resolution
    assert encoding.to_npz(arrays) == first
    assert {name: array.tolist() for name, array in encoding.from_npz(first).items()} == {
        name: array.tolist() for name, array in arrays.items()
    }


def test_arrays_of_objects_are_refused() -> None:
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        encoding.to_npz({"a": np.array([object()])})


def test_png_keeps_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert (encoding.from_picture(encoding.to_picture(pixels, "png")) == pixels).all()


def test_pixels_are_rounded_clipped_and_never_nan() -> None:
    image = np.array([[[0.0, 1.0, 2.0, -1.0, 0.5, np.nan]]])
    assert encoding.to_pixels(image)[0, :, 0].tolist() == [0, 255, 255, 0, 128, 0]


@given(st.integers(1, 30), st.integers(1, 9))
def test_each_tile_lies_where_its_number_says(count: int, columns: int) -> None:
    tiles = [np.full((4, 6, 3), index, np.uint8) for index in range(count)]
    page = encoding.sheet(tiles, columns)
    for index in range(count):
        row, column = divmod(index, columns)
        assert (page[row * 4 : row * 4 + 4, column * 6 : column * 6 + 6] == index).all()
