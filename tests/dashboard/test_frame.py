"""What pages share: an address is only changed by the page that it is of."""

from __future__ import annotations

import pytest
import streamlit as st

from dashboard.frame import remember
from dashboard.state import View


class Address(dict[str, str]):
    """Stands in for the browser's query."""

    def to_dict(self) -> dict[str, str]:
        return dict(self)

    def from_dict(self, query: dict[str, str]) -> None:
        self.clear()
        self.update(query)


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Address:
    address = Address(atlas="tiny", layer="conv1", sort="mean")
    monkeypatch.setattr(st, "query_params", address)
    return address


def test_how_a_place_looks_is_remembered(address: Address) -> None:
    remember(View(atlas="tiny", layer="conv1", sort="peak", find="golf"))
    assert address == {"atlas": "tiny", "layer": "conv1", "sort": "peak", "find": "golf"}


@pytest.mark.parametrize("there", [{"layer": "conv2"}, {"layer": "conv1", "channel": "3"}, {"image": "probe/3"}])
def test_a_page_that_was_left_does_not_change_the_next_ones_address(address: Address, there: dict[str, str]) -> None:
    address.from_dict({"atlas": "tiny", **there})
    remember(View(atlas="tiny", layer="conv1", sort="peak"))
    assert address == {"atlas": "tiny", **there}


def test_what_a_page_moves_itself_is_remembered(address: Address) -> None:
    remember(View(atlas="tiny", layer="conv2", channel=3), moved=("layer", "channel"))
    assert address == {"atlas": "tiny", "layer": "conv2", "channel": "3"}
