"""The map in a real browser: drawn, zoomed, picked with a lasso, opened."""

from __future__ import annotations

from analysis.atlas.library import Library
from tests.browser.test_grid import query
from tests.dashboard.test_map import LAYER, add_map

INK = """() => {
  const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot)
  const canvas = roots.map((root) => root?.querySelector('.plane canvas')).find(Boolean)
  if (!canvas?.width) return 0
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  let ink = 0
  for (let i = 3; i < pixels.length; i += 4) ink += pixels[i] > 0
  return ink / (pixels.length / 4)
}"""


def test_it_is_drawn_zoomed_picked_and_opened(visit, shown: Library) -> None:
    atlas = shown.atlas("tiny-later")
    add_map(atlas)
    page = visit(f"/map?atlas={atlas.id}&layer={LAYER}")
    page.wait_for_function(f"({INK})() > 0.05")
    box = page.locator(".plane").bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.3)]
    page.keyboard.down("Shift")
    for number, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_selector("text=Look at the 47 channels picked here")
    before = page.evaluate(INK)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -500)
    page.wait_for_function(f"Math.abs(({INK})() - {before}) > 0.01")
    page.locator("button:has-text('Whole map')").click()
    page.locator("a:has-text('channels picked here')").click()
    page.wait_for_selector(".count:has-text('47 of 48 channels')")
    assert query(page)["find"].startswith("0, 1, 2, 4")
    assert page.faults == []
