"""The grid in a real browser: drawn, sorted, filtered, zoomed, walked by keyboard; every view an address."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlparse

LAYER = "/layer?atlas=tiny-abababab&layer=features.2.conv"
CANVAS = ".view canvas"


def query(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def wait_for_query(page, name: str, value: str) -> None:
    page.wait_for_function(
        "([name, value]) => new URLSearchParams(location.search).get(name) === value", arg=[name, value]
    )


def wait_until_drawn(page, at: tuple[int, int] = (60, 60)) -> None:
    """Until the canvas shows a picture there: many colours, not one."""
    page.wait_for_selector(CANVAS)
    page.wait_for_function(f"at => ({COLOURS})(at).length > 20", arg=list(at))


COLOURS = """(at) => {
  const hosts = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)
  const canvas = hosts.map((root) => root.querySelector('.view canvas')).find(Boolean)
  if (!canvas || !canvas.width) return []
  const ratio = window.devicePixelRatio
  const pixels = canvas.getContext('2d').getImageData(at[0] * ratio - 20, at[1] * ratio - 20, 40, 40).data
  const seen = new Set()
  for (let i = 0; i < pixels.length; i += 4) seen.add(pixels[i] * 65536 + pixels[i + 1] * 256 + pixels[i + 2])
  return [...seen]
}"""


def colours(page, at: tuple[int, int]) -> list[int]:
    return page.evaluate(COLOURS, list(at))


def test_the_grid_draws_pictures_without_a_widget_a_tile(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    assert page.locator(".count").inner_text() == "96 channels"
    assert page.evaluate("document.querySelectorAll('*').length") < 1500
    assert page.faults == []


def test_a_click_opens_the_channel(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.locator(CANVAS).click(position={"x": 60, "y": 60})
    page.wait_for_selector("h1:has-text('Channel 0')")
    assert query(page)["channel"] == "0"
    assert query(page)["layer"] == "features.2.conv"


def test_sorting_is_in_the_address_and_opens_in_another_browser(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.locator("select.sort").select_option("mean")
    wait_for_query(page, "sort", "mean")
    page.locator("button.direction").click()
    wait_for_query(page, "up", "1")
    page.wait_for_timeout(500)
    here = colours(page, (60, 60))
    other = visit(page.url.removeprefix(re.match(r"https?://[^/]+", page.url)[0]))
    wait_until_drawn(other)
    other.wait_for_timeout(500)
    assert other.locator("select.sort").input_value() == "mean"
    assert colours(other, (60, 60)) == here


def test_searching_filters_by_number_range_and_label(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    find = page.locator("input.find")
    for text, count in (("17", "1 of 96"), ("10-19", "10 of 96"), ("3, 5, 7", "3 of 96"), ("nowhere", "0 of 96")):
        find.fill(text)
        page.wait_for_selector(f".count:has-text('{count} channels')")
    assert page.locator("text=No channel fits.").is_visible()
    page.locator("text=Show all").click()
    page.wait_for_selector(".count:text-is('96 channels')")


def test_dragging_over_the_distribution_filters(visit) -> None:
    page = visit(LAYER + "&sort=mean")
    wait_until_drawn(page, (60, 60))
    box = page.locator(".spread svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 10, steps=5)
    page.mouse.up()
    page.wait_for_selector(".count:has-text(' of 96 channels')")
    page.wait_for_function("new URLSearchParams(location.search).has('low')")
    shown = int(page.locator(".count").inner_text().split(" ")[0])
    assert 0 < shown < 96


def test_the_keyboard_moves_picks_and_opens(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.className") == "find"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".live:has-text('Channel 2.')", state="attached")
    page.keyboard.press("Space")
    wait_for_query(page, "selected", "2")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Channel 2')")


def test_the_active_option_names_the_channel_that_the_keys_came_to(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    grid = page.locator(".view")
    assert grid.get_attribute("role") == "listbox"
    assert grid.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    option = page.locator(f"#{grid.get_attribute('aria-activedescendant')}")
    assert option.text_content() == "Channel 1"
    told = ("role", "aria-selected", "aria-posinset", "aria-setsize")
    assert [option.get_attribute(name) for name in told] == ["option", "true", "2", "96"]
    page.locator("input.find").fill("nowhere")
    page.wait_for_selector(".view[role=group]")
    assert grid.get_attribute("aria-activedescendant") is None
    assert page.faults == []


def test_help_is_closed_from_where_it_was_opened(visit) -> None:
    page = visit(LAYER + "&selected=2")
    wait_until_drawn(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.wait_for_selector(".help", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector(".help", state="hidden")
    page.locator(".view").focus()
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    page.wait_for_selector(".help", state="hidden")
    page.wait_for_timeout(600)
    assert query(page)["selected"] == "2"  # Escape closed the list, no more
    page.keyboard.press("Escape")
    page.wait_for_function("!location.search.includes('selected')")


def test_brackets_lead_to_the_neighbouring_layers(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.keyboard.press("[")
    page.wait_for_selector("h1:has-text('features.1.conv')")
    page.wait_for_selector(".view[aria-label='features.1.conv: channels']")
    wait_until_drawn(page)
    page.keyboard.press("]")
    page.wait_for_selector("h1:has-text('features.2.conv')")


def test_keys_are_kept_for_the_layer_that_is_still_on_its_way(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.keyboard.press("[")
    page.keyboard.press("[")
    page.wait_for_selector("h1:has-text('features.0.conv')")
    page.wait_for_selector(".view[aria-label='features.0.conv: channels']")
    page.keyboard.press("[")
    page.keyboard.press("]")
    page.wait_for_selector("h1:has-text('features.1.conv')")


def test_arrows_are_kept_for_the_channel_that_is_still_on_its_way(visit) -> None:
    page = visit("/channel?atlas=tiny-abababab&layer=features.2.conv&channel=5")
    page.wait_for_selector(".main img")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("h1:has-text('Channel 9')")


def test_hovering_shows_the_numbers(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.locator(CANVAS).hover(position={"x": 60, "y": 60})
    card = page.locator(".card")
    card.wait_for(state="visible")
    assert "Channel 0" in card.inner_text()
    assert "Strongest response" in card.inner_text()


def test_back_and_forward_lead_through_the_places(visit) -> None:
    page = visit("/overview?atlas=tiny-abababab")
    page.locator("a.row").nth(1).click()
    page.wait_for_selector("h1:has-text('features.1.conv')")
    wait_until_drawn(page)
    page.locator(CANVAS).click(position={"x": 60, "y": 60})
    page.wait_for_selector("h1:has-text('Channel 0')")
    page.go_back()
    page.wait_for_selector("h1:has-text('features.1.conv')")
    page.go_back()
    page.wait_for_selector("h1:has-text('tiny')")
    page.go_forward()
    page.wait_for_selector("h1:has-text('features.1.conv')")


def test_both_panels_of_a_comparison_stand_under_one_cursor(visit) -> None:
    page = visit("/compare?atlas=tiny-abababab&other=tiny-later&layer=features.2.conv")
    wait_until_drawn(page)
    right = page.locator(CANVAS).bounding_box()["width"] / 2 + 80
    wait_until_drawn(page, (int(right), 60))
    assert colours(page, (60, 60)) != colours(page, (int(right), 60))
    page.locator(CANVAS).click(position={"x": right, "y": 60})
    page.wait_for_selector("h1:has-text('Channel 0')")
    assert query(page)["atlas"].startswith("tiny-later")


def test_a_wrong_address_is_a_sentence_with_an_offer(visit) -> None:
    page = visit("/layer?atlas=tiny-abababab&layer=features.9.conv")
    page.wait_for_selector("text=has no layer")
    page.locator("a:has-text('Open tiny')").click()
    page.wait_for_selector("h1:has-text('features.')")
    assert "Traceback" not in page.content()


def test_the_toolbar_is_one_line_and_only_the_grid_scrolls(visit) -> None:
    page = visit(f"{LAYER}&sort=peak_mean&low=0&high=1&selected=3,5")
    wait_until_drawn(page)
    page.wait_for_selector(".count:has-text('of 96 channels')")
    assert page.locator(".bar").bounding_box()["height"] < 40
    first, last = page.locator("input.find").bounding_box(), page.locator(".help-button").bounding_box()
    assert abs(first["y"] - last["y"]) < 2
    assert last["x"] > first["x"]
    assert page.locator("button.direction").get_attribute("aria-label") == "Largest first"
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("each => each.scrollHeight - each.clientHeight") == 0
    page.set_viewport_size({"width": 960, "height": 760})
    page.wait_for_function("() => innerWidth === 960")
    page.wait_for_timeout(300)
    box = page.locator(".view").bounding_box()
    assert box["height"] >= 320
    assert box["y"] + box["height"] < 760
    assert page.faults == []
