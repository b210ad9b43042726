"""A model brought through the browser: streamed, recognised, put into the library."""

from __future__ import annotations

from pathlib import Path

from analysis.atlas.library import Library
from sample_models.catalog import SAMPLES


def test_a_model_and_its_images_come_in_by_upload(visit, shown: Library, tmp_path: Path) -> None:
    page = visit("/")
    page.locator("a:has-text('Open a model')").click()
    page.wait_for_selector(".dropzone")
    with page.expect_file_chooser() as chooser:
        page.locator(".target").click()
    chooser.value.set_files(str(SAMPLES["small-grey"].file))
    page.wait_for_function("new URLSearchParams(location.search).get('file')?.startsWith('upload/')")
    page.wait_for_selector("text=7 conv layers", timeout=90_000)
    page.reload()
    page.wait_for_selector("text=7 conv layers")
    page.locator("button:has-text('No images')").click()
    page.locator("button:has-text('Make the atlas')").click()
    page.wait_for_selector("text=Waiting for the engine")
    assert any(card.name.startswith("small-grey") for card in shown.models())
    assert page.faults == []


def test_what_is_no_model_is_refused_in_a_sentence(visit, tmp_path: Path) -> None:
    page = visit("/open")
    page.wait_for_selector(".dropzone")
    file = tmp_path / "picture.pth"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with page.expect_file_chooser() as chooser:
        page.locator(".target").click()
    chooser.value.set_files(str(file))
    page.wait_for_selector("text=is a picture", timeout=60_000)
    assert "Traceback" not in page.content()


def test_a_sample_is_one_click_away_and_its_card_shows_a_picture(visit) -> None:
    page = visit("/open")
    card = page.locator(".shelf a", has_text="Small, grey")
    card.scroll_into_view_if_needed()
    card.locator("img").evaluate("image => image.decode()")
    words = card.locator("p").first
    assert words.evaluate("each => each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight + 1")
    card.click()
    page.wait_for_function("new URLSearchParams(location.search).get('file') === 'sample/small-grey'")
    assert page.faults == []
