"""An image brought in a browser: its heat maps come by themselves, lead to the channel, and back."""

from __future__ import annotations

import pytest

from analysis.atlas.library import Library
from analysis.jobs.request import LookRequest
from analysis.jobs.table import Jobs
from tests.dashboard.synthetic import model_card, pattern, png
from tests.dashboard.test_image import asked, found

ATLAS = "tiny-abababab.12121212"
LAYER = "features.1.conv"


@pytest.fixture
def table(shown: Library, tmp_path) -> Jobs:
    file = tmp_path / "tiny.pth"
    file.write_bytes(b"weights")
    shown.add_model(model_card(), file)
    return Jobs(shown.database_url)


def opacity(page) -> list[float]:
    """Mean opacity of what lies over the left, middle and right third of the large image, 0 … 255."""
    return page.locator(".over").evaluate("""canvas => {
      const [w, h] = [canvas.width, canvas.height]
      if (!w) return [0, 0, 0]
      const { data } = canvas.getContext("2d").getImageData(0, 0, w, h)
      const sums = [0, 0, 0]
      for (let x = 0; x < w; x++) for (let y = 0; y < h; y++) {
        const k = 4 * (y * w + x)
        sums[Math.min(2, Math.floor(3 * x / w))] += data[k + 3] * (data[k + 1] > 100)
      }
      return sums.map((sum) => sum / (w * h / 3))
    }""")


def test_from_an_upload_to_a_heat_map_to_the_channel_and_back(visit, shown: Library, table: Jobs) -> None:
    page = visit(f"/image?atlas={ATLAS}")
    bring = page.locator(".dropzone input[type=file]")
    bring.wait_for(state="attached")
    bring.set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": b"nothing of the kind"})
    page.wait_for_selector("text=photo.png is not an image")
    bring.set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": png(pattern(9, 90))})
    page.wait_for_url("**/image?atlas=*image=upload*")
    page.wait_for_selector("text=Waiting for the engine")
    request = LookRequest(**table.recent(1)[0].request)
    job = table.claim(table.recent(1)[0].id)
    assert job is not None
    table.write(job.id, done=200, total=1000, note=f"what {LAYER} kept, 2 of 3")
    found(shown, shown.atlas(ATLAS), request, drawn=1)
    page.wait_for_selector(".strip button:nth-child(1) img")
    page.wait_for_selector(".strip button:nth-child(2) .coming")
    other = visit("/" + page.url.split("/", 3)[3])
    for each in (page, other):
        each.wait_for_selector(".channel")

    page.locator(".strip button").nth(1).click()
    page.wait_for_url(f"**layer={LAYER}*")
    card = page.locator(".channel").nth(2)
    card.hover()
    page.locator(".told", has_text="Where channel 2 answers, +4.0 σ").wait_for()
    page.wait_for_timeout(300)
    left, _middle, right = opacity(page)
    assert left > 100
    assert right < 5
    card.click()
    page.wait_for_url("**channel=2*")
    page.mouse.move(5, 5)
    page.wait_for_timeout(200)
    assert opacity(page)[0] > 100, "a channel that was chosen stays"
    page.keyboard.press("Escape")
    page.locator(".told", has_text="As the model sees it").wait_for()

    page.locator(".channel .words a").nth(1).click()
    page.wait_for_url(f"**/channel?atlas=*layer={LAYER}&channel=1")
    page.wait_for_selector("h1:has-text('Channel 1')")
    page.mouse.move(5, 5)
    page.go_back()
    page.wait_for_url("**/image?*")
    page.locator(".told", has_text="As the model sees it").wait_for()
    assert page.locator(".strip [aria-selected=true]").inner_text().strip() == LAYER
    table.finish(job.id, "done")
    assert page.faults == []


def test_layers_by_key_and_an_address_that_opens_the_same(visit, shown: Library, table: Jobs) -> None:
    found(shown, shown.atlas(ATLAS), asked(shown.atlas(ATLAS), 11))
    page = visit(f"/image?atlas={ATLAS}&image=probe/11&layer={LAYER}&channel=3")
    page.locator(".told", has_text="Where channel 3 answers").wait_for()
    page.keyboard.press("]")
    page.wait_for_url("**layer=features.2.conv*")
    page.keyboard.press("[")
    page.keyboard.press("[")
    page.wait_for_url("**layer=features.0.conv*")
    again = visit("/" + page.url.split("/", 3)[3])
    again.locator(".strip [aria-selected=true]", has_text="features.0.conv").wait_for()
    again.locator(".kept img").hover()
    again.locator(".told", has_text="What features.0.conv kept").wait_for()
    assert page.faults == []
    assert again.faults == []


def test_an_exemplar_leads_to_its_whole_image(visit, shown: Library, table: Jobs) -> None:
    found(shown, shown.atlas(ATLAS), asked(shown.atlas(ATLAS), 21))
    page = visit(f"/channel?atlas={ATLAS}&layer={LAYER}&channel=3")
    page.locator(".images figure").first.click()
    page.wait_for_url("**/image?*image=probe%2F21")
    page.locator(".told", has_text="Where channel 3 answers").wait_for()
    page.go_back()
    page.wait_for_selector("text=Strongest real images")
