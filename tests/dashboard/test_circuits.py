"""The circuit around a channel on its page."""

from __future__ import annotations

import pytest

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, model_card
from tests.dashboard.test_pages import component
from tests.dashboard.wired import wire, wire_up

LAYER, BEFORE, AFTER = "features.1.conv", "features.0.conv", "features.2.conv"


@pytest.fixture
def atlas(own_shelf: Library) -> Atlas:
    """Channel 5 is excited by 7 and inhibited by 2 of the layer before; channel 6 is fed by what is not known."""
    atlas = add_atlas(own_shelf, model_card())
    rows = [wire(5, "in", BEFORE, 7, 0.9), wire(5, "in", BEFORE, 2, -0.8), wire(5, "out", AFTER, 90, 0.1)]
    wire_up(atlas, {LAYER: [BEFORE]}, {LAYER: rows}, lost="bmm")
    return atlas


def test_a_channel_stands_between_what_feeds_it_and_what_it_feeds(atlas: Atlas, open_page: Open) -> None:
    data = component(open_page("channel", atlas="tiny", layer=LAYER, channel="5"), "strata_circuit")
    fed, feeds = data["sides"]
    assert [(each["layer"], each["channel"], each["sign"]) for each in fed["wires"]] == [
        (BEFORE, 7, 1),
        (BEFORE, 2, -1),
    ]
    assert [(each["layer"], each["channel"], each["sign"]) for each in feeds["wires"]] == [(AFTER, 90, 0)]
    first = fed["wires"][0]
    assert first["tile"] is not None
    assert (first["kernel"], first["height"]) == ([1.0, -0.5, 0.0, 0.9], 2)
    assert first["href"] == f"/channel?atlas={atlas.id}&layer={BEFORE}&channel=7"
    assert first["label"]
    assert "bmm" in fed["about"]


def test_what_is_not_known_is_said(atlas: Atlas, open_page: Open) -> None:
    fed, feeds = component(open_page("channel", atlas="tiny", layer=LAYER, channel="6"), "strata_circuit")["sides"]
    assert fed["wires"] == []
    assert feeds["wires"] == []
    assert "bmm" in fed["empty"]
    assert feeds["empty"]


def test_an_atlas_without_circuits_opens_as_it_did(atlas: Atlas, open_page: Open) -> None:
    app = open_page("channel", atlas="tiny", layer=BEFORE, channel="1")
    assert not app.exception
    assert "strata_circuit" not in [element.proto.component_name for element in app.get("bidi_component")]
