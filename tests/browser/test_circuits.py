"""The circuit around a channel, the network, the layer's plot and the keys of every page, as a person uses them."""

from __future__ import annotations

import re

import pytest

from analysis.atlas.library import Library
from tests.browser.test_grid import CANVAS, LAYER, query, wait_for_query, wait_until_drawn
from tests.dashboard.wired import wire, wire_up

FIRST, SECOND, THIRD = "features.0.conv", "features.1.conv", "features.2.conv"
CHANNEL = f"/channel?atlas=tiny-later&layer={SECOND}&channel=5"


@pytest.fixture(scope="module", autouse=True)
def wired(shown: Library) -> None:
    """Circuits in one of the atlases that the dashboard shows: two layers read the first."""
    rows = [wire(5, "in", FIRST, 7, 0.9), wire(5, "in", FIRST, 2, -0.8), wire(5, "out", THIRD, 90, 0.1)]
    wire_up(shown.atlas("tiny-later"), {FIRST: [], SECOND: [FIRST], THIRD: [FIRST]}, {SECOND: rows})


def test_a_wire_leads_to_the_channel_at_its_other_end(visit) -> None:
    page = visit(CHANNEL)
    wires = page.locator(".circuit .wire")
    wires.nth(2).wait_for()
    assert page.locator(".circuit path").count() == 3
    assert "inhibits" in wires.nth(1).get_attribute("aria-label")
    wires.nth(0).hover()
    page.locator(".circuit .near:visible").wait_for()
    wires.nth(2).click()
    page.wait_for_selector("h1:has-text('Channel 90')")
    assert query(page)["layer"] == THIRD
    page.go_back()
    page.wait_for_selector("h1:has-text('Channel 5')")
    assert page.faults == []


def test_a_wire_is_a_link_for_another_tab_as_well(visit) -> None:
    page = visit(CHANNEL)
    address = page.locator(".circuit .wire").first.get_attribute("href")
    other = visit(address)
    other.wait_for_selector("h1:has-text('Channel 7')")


def test_the_network_shows_branches_and_leads_to_a_layer(visit) -> None:
    page = visit("/overview?atlas=tiny-later")
    nodes = page.locator(".network .node")
    nodes.nth(2).wait_for()
    left = [nodes.nth(k).bounding_box()["x"] for k in range(3)]
    assert left[0] < left[1] == left[2]
    assert page.locator(".network .lines path").count() == 2
    nodes.nth(2).click()
    page.wait_for_selector(f"h1:has-text('{THIRD}')")
    assert page.faults == []


def test_what_is_drawn_around_in_the_plot_is_picked_in_the_grid_and_the_other_way(visit) -> None:
    page = visit(LAYER + "&across=mean&upward=zeros")
    wait_until_drawn(page)
    plane = page.locator(".stPlotlyChart .nsewdrag").last
    plane.wait_for()
    page.wait_for_timeout(1500)
    box = page.locator(".stPlotlyChart").bounding_box()
    x, y = box["x"] + 0.2 * box["width"], box["y"] + 0.25 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for across, down in ((0.5, 0), (0.5, 0.5), (0, 0.5), (0, 0.02)):
        page.mouse.move(x + across * box["width"], y + down * box["height"], steps=6)
    page.mouse.up()
    page.wait_for_function("new URLSearchParams(location.search).has('selected')")
    count = len(query(page)["selected"].split(","))
    page.wait_for_selector(f".picked:has-text('{count} picked')")
    page.locator(".picked button:has-text('Clear')").click()
    page.wait_for_function("!new URLSearchParams(location.search).has('selected')")
    page.locator(CANVAS).click(position={"x": 60, "y": 60}, modifiers=["Shift"])
    wait_for_query(page, "selected", "0")
    amber = (
        "[...document.querySelectorAll('.stPlotlyChart .point')].filter((p) => p.style.fill === 'rgb(200, 134, 43)')"
    )
    page.wait_for_function(f"{amber}.length === 1")
    assert page.faults == []


def test_picked_channels_stand_side_by_side_at_an_address(visit) -> None:
    page = visit(LAYER + "&selected=3,8,11")
    wait_until_drawn(page)
    page.keyboard.press("c")
    page.locator(".beside article").nth(2).wait_for()
    wait_for_query(page, "beside", "1")
    other = visit(re.sub(r"https?://[^/]+", "", page.url))
    other.locator(".beside article").nth(2).wait_for()
    assert other.locator(".beside h4 a").all_inner_texts() == ["Channel 3", "Channel 8", "Channel 11"]
    other.locator(".beside h4 button").nth(1).click()
    wait_for_query(other, "selected", "3,11")
    other.locator(".beside h4 a").nth(1).click()
    other.wait_for_selector("h1:has-text('Channel 11')")


def test_tiles_can_be_patches_averages_and_whole_images(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    for name, show in (("Average", "average"), ("Images", "images"), ("Patches", "examples")):
        page.locator(f".toggle button:text-is('{name}')").click()
        wait_for_query(page, "show", show)
        wait_until_drawn(page)
    assert page.faults == []


def test_an_address_in_the_search_finds_the_channel_of_this_layer_and_opens_that_of_another(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    find = page.locator("input.find")
    find.fill(f"tiny-abababab/{THIRD}:17")
    page.wait_for_selector(".count:has-text('1 of 96')")
    find.fill(f"{FIRST}:3")
    find.press("Enter")
    page.wait_for_selector("h1:has-text('Channel 3')")
    assert query(page)["layer"] == FIRST


def test_a_slash_goes_to_a_channel_by_name_and_a_question_mark_lists_the_keys(visit) -> None:
    page = visit("/overview?atlas=tiny-abababab")
    page.wait_for_selector(".node")
    page.keyboard.press("/")
    page.locator("dialog.goto[open] input").wait_for()
    page.keyboard.type("2.conv:41")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Channel 41')")
    assert query(page)["layer"] == THIRD
    page.keyboard.press("?")
    page.locator("dialog.keys[open]").wait_for()
    assert "previous, next channel" in page.locator("dialog.keys").inner_text()
    page.keyboard.press("Escape")
    page.locator("dialog.keys[open]").wait_for(state="detached")
    assert page.faults == []
