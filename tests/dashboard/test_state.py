from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import StrataError
from dashboard.state import MAX_SELECTED, Unreadable, View

names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
finite = st.floats(-1e6, 1e6).map(lambda value: float(f"{value:.6g}"))
views = st.builds(
    View,
    atlas=names,
    other=names,
    layer=names,
    channel=st.none() | st.integers(0, 4096),
    sort=names,
    up=st.booleans(),
    low=st.none() | finite,
    high=st.none() | finite,
    find=names,
    show=st.sampled_from(["", "pictures", "images", "examples", "average"]),
    size=st.none() | st.integers(48, 220),
    selected=st.lists(st.integers(0, 4096), max_size=MAX_SELECTED, unique=True).map(tuple),
    beside=st.booleans(),
    across=names,
    upward=names,
    job=st.text(string.hexdigits, max_size=12),
)


@given(views)
def test_an_address_reads_back_as_the_view_it_was_written_from(view: View) -> None:
    assert View.from_query(view.to_query()) == view


def test_an_empty_view_needs_no_address() -> None:
    assert View().to_query() == {}
    assert View.from_query({}) == View()


def test_a_units_address_is_a_place() -> None:
    found = View.from_query({"unit": "net-3f2a91c0/block/conv:1:17"})
    assert (found.atlas, found.layer, found.channel) == ("net-3f2a91c0", "block/conv:1", 17)


@pytest.mark.parametrize(("name", "value"), [("channel", "x"), ("size", "1.5"), ("low", "a"), ("selected", "1,b")])
def test_a_value_of_the_wrong_kind_is_told_by_its_name(name: str, value: str) -> None:
    with pytest.raises(StrataError, match=f"{name}={value}"):
        View.from_query({name: value})


def test_the_rest_of_an_address_is_still_known() -> None:
    with pytest.raises(Unreadable) as caught:
        View.from_query({"layer": "a", "channel": "x", "size": "y", "low": "nan", "find": "z"})
    assert caught.value.rest == View(layer="a", find="z")
    assert caught.value.name == "channel"


def test_a_form_that_is_no_unit_is_told() -> None:
    with pytest.raises(StrataError, match="model/layer:channel"):
        View.from_query({"unit": "nothing"})


def test_unknown_parts_are_passed_over() -> None:
    assert View.from_query({"utm_source": "mail", "layer": "a"}) == View(layer="a")


def test_no_more_is_picked_than_fits() -> None:
    many = ",".join(str(number) for number in range(3 * MAX_SELECTED))
    assert len(View.from_query({"selected": many}).selected) == MAX_SELECTED
