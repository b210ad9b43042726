"""The network as a strip: columns, branches and skips, against known answers."""

from __future__ import annotations

from dataclasses import replace

from analysis.atlas.library import Library
from dashboard.network import columns_of, lines_of
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, model_card
from tests.dashboard.test_pages import component
from tests.dashboard.wired import wire_up


def drawn(reads: dict[str, list[str] | None]) -> set[tuple[str, str, str]]:
    kinds = {(True, True): "skip", (False, True): "line", (False, False): "unsure"}
    return {(line.start, line.end, kinds[line.skip, line.sure]) for line in lines_of(list(reads), reads)}


def test_a_fire_module_branches_and_meets() -> None:
    reads: dict[str, list[str] | None] = {
        "stem": [], "squeeze": ["stem"], "small": ["squeeze"], "large": ["squeeze"], "next": ["small", "large"],
    }  # fmt: skip
    assert drawn(reads) == {
        ("stem", "squeeze", "line"), ("squeeze", "small", "line"), ("squeeze", "large", "line"),
        ("small", "next", "line"), ("large", "next", "line"),
    }  # fmt: skip
    assert columns_of(list(reads), lines_of(list(reads), reads)) == [0, 1, 2, 2, 3]


def test_a_residual_stream_is_one_line_and_one_skip_a_block() -> None:
    reads: dict[str, list[str] | None] = {
        "stem": [], "a1": ["stem"], "a2": ["a1"], "b1": ["stem", "a2"], "b2": ["b1"], "c1": ["stem", "a2", "b2"],
    }  # fmt: skip
    assert drawn(reads) == {
        ("stem", "a1", "line"), ("a1", "a2", "line"), ("a2", "b1", "line"), ("stem", "b1", "skip"),
        ("b1", "b2", "line"), ("b2", "c1", "line"), ("a2", "c1", "skip"),
    }  # fmt: skip
    assert columns_of(list(reads), lines_of(list(reads), reads)) == [0, 1, 2, 3, 4, 5]


def test_where_the_graph_is_not_known_the_order_is_drawn_as_such() -> None:
    assert drawn({"a": None, "b": None, "c": ["a"]}) == {("a", "b", "unsure"), ("a", "c", "line")}


def test_a_second_stem_begins_at_the_image_again() -> None:
    reads: dict[str, list[str] | None] = {"left": [], "right": [], "both": ["left", "right"]}
    assert columns_of(list(reads), lines_of(list(reads), reads)) == [0, 0, 1]


def test_the_overview_draws_it(own_shelf: Library, open_page: Open) -> None:
    card = replace(model_card(), heads={"output": 4})
    atlas = add_atlas(own_shelf, card)
    names = ["features.0.conv", "features.1.conv", "features.2.conv", "output"]
    reads = {names[0]: [], names[1]: names[:1], names[2]: names[:1], names[3]: names[1:3]}
    wire_up(atlas, reads, {})
    data = component(open_page("overview", atlas="tiny"), "strata_network")
    assert [(node["layer"], node["column"], node["lane"]) for node in data["nodes"]] == [
        (names[0], 0, 0), (names[1], 1, 0), (names[2], 1, 1), (names[3], 2, 0),
    ]  # fmt: skip
    assert [len(node["tiles"]) for node in data["nodes"]] == [3, 2, 2, 0]
    assert {(line["start"], line["end"]) for line in data["lines"]} == {
        (names[0], names[1]), (names[0], names[2]), (names[1], names[3]), (names[2], names[3]),
    }  # fmt: skip
    first = data["nodes"][0]
    assert (first["channels"], first["dead"]) == (16, 1 / 16)


def test_an_atlas_without_circuits_is_drawn_in_order(own_shelf: Library, open_page: Open) -> None:
    add_atlas(own_shelf, model_card())
    data = component(open_page("overview", atlas="tiny"), "strata_network")
    assert [node["column"] for node in data["nodes"]] == [0, 1, 2]
    assert not any(line["sure"] for line in data["lines"])
