"""Tables on a phone: every row says what it is of, and every number what it is."""

from __future__ import annotations

import pytest

from analysis.atlas.library import Library
from analysis.jobs.table import Jobs

PHONE = {"width": 390, "height": 844}


def on_a_phone(visit, address: str):
    page = visit(address)
    page.set_viewport_size(PHONE)
    page.wait_for_selector(".strips .row")
    return page


def width_of(page, selector: str) -> float:
    return page.locator(selector).first.bounding_box()["width"]


def test_a_past_job_has_room_for_its_title(visit, shown: Library) -> None:
    jobs = Jobs(shown.database_url)
    jobs.finish(jobs.submit("build", {"model": "tiny-abababab"}).id, "done", result={"atlas": "tiny-abababab"})
    page = on_a_phone(visit, "/jobs")
    title = page.locator(".row .title", has_text="Atlas of tiny-abababab").first
    assert title.evaluate("each => each.scrollWidth <= each.clientWidth")
    assert width_of(page, ".row .who") > 200


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/overview?atlas=tiny-abababab", ["Dead", "Silent", "Strongest response"]),
        ("/compare?atlas=tiny-abababab&other=tiny-later", ["Moved", "Response", "Silent", "Dead"]),
    ],
)
def test_figures_have_names_where_there_is_no_room_for_a_head(visit, address: str, names: list[str]) -> None:
    page = on_a_phone(visit, address)
    first = page.locator(".row").first
    told = first.locator(".figure small")
    told.first.wait_for(state="visible")
    assert [told.nth(k).inner_text() for k in range(len(names))] == names
    assert not page.locator(".strips .head").is_visible()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.locator(".strips .head").wait_for(state="visible")
    for name in names:
        about = page.locator(".head .told", has_text=name).get_attribute("title")
        assert about.endswith(".")
    assert not told.first.is_visible()


def test_pictures_of_two_models_say_whose_they_are(visit) -> None:
    page = on_a_phone(visit, "/compare?atlas=tiny-abababab&other=tiny-later")
    told = page.locator(".row").first.locator(".panel small")
    assert [told.nth(k).inner_text() for k in range(2)] == ["tiny", "tiny-later"]
    assert told.first.is_visible()
