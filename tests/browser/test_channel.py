"""A channel's page: what belongs to the picture is beside it, and figures explain themselves."""

from __future__ import annotations

from analysis.atlas.library import Library
from analysis.jobs.table import Jobs

CHANNEL = "/channel?atlas=tiny-abababab&layer=features.1.conv&channel=5"


def test_a_button_below_the_picture_asks_for_its_opposite(visit, shown: Library) -> None:
    page = visit(CHANNEL)
    button = page.locator(".asks button", has_text="Its opposite")
    button.wait_for()
    picture = page.locator(".main img").bounding_box()
    assert button.bounding_box()["y"] - picture["y"] - picture["height"] < 120
    button.click()
    page.wait_for_selector(".portrait:has-text('Its opposite'):has-text('Waiting for the engine')")
    jobs = Jobs(shown.database_url)
    job = next(job for job in jobs.recent() if job.kind == "render")
    assert (job.request["layer"], job.request["channel"]) == ("features.1.conv", 5)
    assert job.request["parameters"] == {"negative": True}
    jobs.finish(job.id, "cancelled")
    assert page.faults == []


def test_notes_are_reached_without_scrolling(visit) -> None:
    page = visit(CHANNEL)
    page.get_by_role("button", name="Notes").click()
    form = page.get_by_label("What do you see?")
    form.wait_for()
    box = form.bounding_box()
    assert 0 < box["y"] < 720 - box["height"]


def test_a_figures_name_tells_what_it_is_and_a_phone_folds_the_rarer_ones(visit) -> None:
    page = visit(CHANNEL)
    gauges = page.locator(".gauge")
    gauges.first.wait_for()
    name, about = gauges.first.locator("button"), gauges.first.locator(".about")
    assert not about.is_visible()
    name.click()
    assert about.inner_text() == "The greatest value on any image."
    assert name.get_attribute("aria-expanded") == "true"
    count = gauges.count()
    assert count > 8
    assert gauges.last.is_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".gauges .rest").wait_for(state="visible")
    assert [gauges.nth(k).is_visible() for k in (7, 8)] == [True, False]
    first, second = gauges.nth(2).bounding_box(), gauges.nth(3).bounding_box()
    assert first["y"] == second["y"]
    page.locator(".gauges .rest").click()
    assert gauges.nth(count - 1).is_visible()
