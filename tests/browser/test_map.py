"""The map in a real browser: drawn, zoomed, picked with a lasso, opened."""

from __future__ import annotations

import numpy as np

from analysis.atlas.library import Library
from dashboard.maps import ATLAS
from tests.browser.test_grid import query
from tests.dashboard.test_map import LAYER, add_activation_atlas, add_answers, add_map

INK = """() => {
  const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot)
  const canvas = roots.map((root) => root?.querySelector('.plane canvas')).find(Boolean)
  if (!canvas?.width) return 0
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  let ink = 0
  for (let i = 3; i < pixels.length; i += 4) ink += pixels[i] > 0
  return ink / (pixels.length / 4)
}"""


def drawn_whole(page) -> float:
    """The share of the plane that is drawn, once no more of it comes."""
    page.wait_for_function(f"({INK})() > 0.05")
    before, now = 0.0, float(page.evaluate(INK))
    while now != before:
        page.wait_for_timeout(500)
        before, now = now, float(page.evaluate(INK))
    return now


def draw_around_all(page) -> dict[str, float]:
    """With Shift, around the first plane. Returns where that is."""
    box = page.locator(".plane").first.bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.3)]
    page.keyboard.down("Shift")
    for number, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    page.keyboard.up("Shift")
    return box


def test_it_is_drawn_zoomed_picked_and_opened(visit, shown: Library) -> None:
    atlas = shown.atlas("tiny-later")
    add_map(atlas)
    page = visit(f"/map?atlas={atlas.id}&layer={LAYER}")
    page.wait_for_function(f"({INK})() > 0.05")
    box = draw_around_all(page)
    page.wait_for_selector("text=Look at the 47 channels picked here")
    before = drawn_whole(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -500)
    page.wait_for_function(f"Math.abs(({INK})() - {before}) > 0.01")
    page.locator("button:has-text('Whole map')").click()
    page.locator("a:has-text('channels picked here')").click()
    page.wait_for_selector(".count:has-text('47 of 48 channels')")
    assert query(page)["find"].startswith("0, 1, 2, 4")
    assert page.faults == []


def test_what_is_picked_outlives_a_reload_and_back(visit, shown: Library) -> None:
    atlas = shown.atlas("tiny-later")
    add_map(atlas)
    page = visit(f"/map?atlas={atlas.id}&layer={LAYER}")
    page.wait_for_function(f"({INK})() > 0.05")
    look = "text=Look at the 47 channels picked here"
    for _ in range(2):  # the same again, after Back undid it
        draw_around_all(page)
        page.wait_for_selector(look)
        page.wait_for_function("location.search.includes('selected=0%2C1')")
        page.go_back()
        page.wait_for_selector(look, state="detached")
    page.go_forward()
    page.wait_for_selector(look)
    page.reload()
    page.wait_for_selector(look)
    page.locator(look).click()
    page.wait_for_selector(".count:has-text('47 of 48 channels')")
    page.go_back()
    page.wait_for_selector(look)
    page.locator(".plane").first.focus()
    page.keyboard.press("Escape")
    page.wait_for_selector(look, state="detached")
    assert "selected" not in query(page)
    assert page.faults == []


def test_its_keys_work_and_are_listed(visit, shown: Library) -> None:
    atlas = shown.atlas("tiny-later")
    add_map(atlas)
    page = visit(f"/map?atlas={atlas.id}&layer={LAYER}")
    page.wait_for_function(f"({INK})() > 0.05")
    page.keyboard.press("?")
    page.wait_for_selector("dialog.keys[open]")
    listed = page.locator("dialog.keys dt").all_inner_texts()
    assert listed[:4] == ["← → ↑ ↓", "+ −", "Home", "Esc"]
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.keys[open]", state="hidden")
    page.evaluate("document.activeElement.blur()")
    before = drawn_whole(page)
    page.keyboard.press("+")
    page.wait_for_function(f"Math.abs(({INK})() - {before}) > 0.01")
    page.keyboard.press("Home")
    page.wait_for_function(f"Math.abs(({INK})() - {before}) < 0.001")
    assert page.faults == []


def test_hovering_a_channel_marks_its_partner_in_the_map_beside(visit, shown: Library) -> None:
    first, second = shown.atlas("tiny-later"), shown.atlas("tiny-abababab")
    add_answers(first, np.arange(96), "features.2.conv")
    add_answers(second, np.arange(96)[::-1], "features.2.conv")
    page = visit(f"/map?atlas={first.id}&layer=features.2.conv&layout=pca&other={second.id}")
    page.wait_for_selector("text=turned, mirrored and scaled")
    page.wait_for_function(f"({INK})() > 0.05")
    planes = page.locator(".plane")
    box = planes.nth(0).bounding_box()
    tips = page.locator(".tip:visible b")
    for step in range(2, 40):
        page.mouse.move(box["x"] + box["width"] * (0.3 + step / 100), box["y"] + box["height"] / 2)
        if tips.count() == 2:
            break
    own, partner = (int(text.removeprefix("Channel ")) for text in tips.all_text_contents())
    assert own + partner == 95
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 40)
    page.wait_for_function("true")
    assert tips.count() == 0
    assert page.faults == []


def test_a_map_is_chosen_beside_and_the_address_says_so(visit, shown: Library) -> None:
    atlas = shown.atlas("tiny-later")
    add_answers(atlas, np.arange(48))
    add_answers(atlas, np.arange(96), "features.2.conv")
    page = visit(f"/map?atlas={atlas.id}&layer={LAYER}&layout=pca")
    page.wait_for_selector(".plane canvas")
    page.locator("[data-testid=stSelectbox] [role=combobox], [data-testid=stSelectbox] input").first.click()
    page.locator("[role=option]:has-text('Layer features.2.conv')").click()
    page.wait_for_selector("figcaption:has-text('features.2.conv')")
    assert query(page)["other"] == "features.2.conv"
    assert query(page)["layout"] == "pca"
    page.go_back()
    page.wait_for_function("!location.search.includes('other')")
    assert page.faults == []


def test_cells_show_their_patches_are_picked_and_lead_to_their_channels(visit, shown: Library) -> None:
    atlas = shown.atlas("tiny-later")
    add_activation_atlas(atlas)
    page = visit(f"/map?atlas={atlas.id}&layer={LAYER}&show={ATLAS}")
    page.wait_for_function(f"({INK})() > 0.3")
    box = page.locator(".plane").first.bounding_box()
    at = (box["x"] + box["width"] / 2 + 30, box["y"] + box["height"] / 4)
    page.mouse.move(*at)
    page.wait_for_selector(".tip:visible b:has-text('12 places in 5 images')")
    assert page.locator(".tip:visible .row canvas").count() == 2
    page.mouse.click(*at)
    page.wait_for_selector("text=Look at the 2 channels that stand out in the picked cell")
    page.wait_for_function("location.search.includes('selected=2')")
    page.mouse.wheel(0, -400)
    page.locator("button:has-text('Whole map')").click()
    page.locator("a:has-text('stand out in')").click()
    page.wait_for_selector(".count:has-text('2 of 48 channels')")
    assert query(page)["find"] == "2, 3"
    assert page.faults == []
