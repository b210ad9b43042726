from hypothesis import given
from hypothesis import strategies as st

from analysis.technique import Wanted

CHANNELS = st.lists(st.integers(0, 300), max_size=80).map(tuple)


def test_pieces_are_runs_of_the_wanted_channels_cut_at_multiples() -> None:
    assert Wanted(("conv",)).pieces(130, 64) == [(0, 64), (64, 128), (128, 130)]
    wanted = Wanted(("conv",), (66, 0, 1, 2, 5, 6, 63, 64, 65, 65, 900))
    assert wanted.pieces(128, 64) == [(0, 3), (5, 7), (63, 64), (64, 67)]


@given(CHANNELS, st.integers(1, 300), st.integers(1, 70))
def test_pieces_cover_what_is_wanted_and_no_more(channels: tuple[int, ...], out_channels: int, longest: int) -> None:
    pieces = Wanted(("conv",), channels).pieces(out_channels, longest)
    covered = [channel for first, last in pieces for channel in range(first, last)]
    assert covered == sorted({channel for channel in channels if channel < out_channels})
    assert all(first // longest == (last - 1) // longest for first, last in pieces)
