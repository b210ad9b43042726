"""Browser back and forward: one step for one step of a person's, and the page that belongs to each address."""

from __future__ import annotations

from analysis.atlas.library import Library
from analysis.jobs.table import Jobs
from tests.browser.test_grid import query


def test_a_page_that_only_leads_on_is_not_returned_to(visit, shown: Library) -> None:
    atlas = shown.atlas("tiny-abababab")
    table = Jobs(shown.database_url)
    job = table.submit("build", {"model": "tiny-abababab"})
    table.claim(job.id)
    table.finish(job.id, "done", result={"atlas": atlas.id})
    page = visit("/")
    page.wait_for_selector("h1:has-text('Library')")
    page.goto(f"{page.url.rstrip('/')}/open?job={job.id}")
    page.wait_for_selector("h1:has-text('tiny')")
    assert query(page) == {"atlas": atlas.id}
    page.go_back()
    page.wait_for_selector("h1:has-text('Library')")
    assert query(page) == {}
    page.go_forward()
    page.wait_for_selector("h1:has-text('tiny')")
    assert "/overview" in page.url
    assert page.faults == []


def test_an_address_of_nothing_is_one_sentence(visit) -> None:
    page = visit("/open?job=nope")
    page.wait_for_selector("text=There is no job “nope”")
    assert page.locator("[data-testid=stAlert]").count() == 1
    page = visit("/nowhere")
    page.wait_for_selector("text=Strata has no such page")
    page.locator("[data-testid=stMain] a:has-text('To the library')").click()
    page.wait_for_selector("h1:has-text('Library')")
    page.go_back()
    page.wait_for_selector("text=Strata has no such page")
    assert page.locator("[role=dialog]").count() == 0
    assert page.faults == []


def test_a_comparison_that_names_itself_takes_one_step_back(visit) -> None:
    page = visit("/overview?atlas=tiny-abababab")
    page.wait_for_selector("h1:has-text('tiny')")
    page.locator("[class*=st-key-beside] a:has-text('Compare')").click()
    page.wait_for_function("new URLSearchParams(location.search).has('other')")
    page.wait_for_selector("a.row")
    page.go_back()
    page.wait_for_selector("h1:has-text('tiny')")
    assert "/overview" in page.url
    assert page.faults == []
