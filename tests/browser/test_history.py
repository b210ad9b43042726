"""Browser back and forward: one step for one step of a person's, and the page that belongs to each address."""

from __future__ import annotations

from analysis.atlas.library import Library
from analysis.jobs.table import Jobs
from tests.browser.test_grid import LAYER, query, wait_for_query, wait_until_drawn


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


def test_typing_and_sizing_are_no_steps_and_sorting_is_one(visit) -> None:
    page = visit("/overview?atlas=tiny-abababab")
    page.locator("a.row").nth(2).click()
    page.wait_for_selector("h1:has-text('features.2.conv')")
    wait_until_drawn(page)
    steps = page.evaluate("history.length")
    find = page.locator("input.find")
    for typed in ("1", "1-", "1-5", "1-50", "1-5", "1-57"):
        find.fill(typed)
        wait_for_query(page, "find", typed)
    page.locator("input.size").fill("140")
    wait_for_query(page, "size", "140")
    assert page.evaluate("history.length") == steps
    page.locator("select.sort").select_option("mean")
    wait_for_query(page, "sort", "mean")
    assert page.evaluate("history.length") == steps + 1
    page.go_back()
    page.wait_for_function("!location.search.includes('sort')")
    assert (query(page)["find"], query(page)["size"]) == ("1-57", "140")
    page.go_back()
    page.wait_for_selector("h1:has-text('tiny')")
    assert page.faults == []


def test_a_place_is_returned_to_as_it_was_left(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.locator("input.find").fill("1-50")
    wait_for_query(page, "find", "1-50")
    page.locator("[class*=st-key-beside] a:has-text('Map')").click()
    page.wait_for_selector("h1:has-text('Map of')")
    assert "find" not in query(page)
    page.go_back()
    page.wait_for_selector(".count:has-text('50 of 96 channels')")
    assert query(page)["find"] == "1-50"
    page.locator("input.find").fill("")
    page.wait_for_function("!location.search.includes('find')")
    page.locator("[class*=st-key-beside] a:has-text('Map')").click()
    page.wait_for_selector("h1:has-text('Map of')")
    page.go_back()
    page.wait_for_selector(".count:text-is('96 channels')")
    assert page.faults == []


def test_what_is_typed_does_not_outgrow_an_address(visit) -> None:
    page = visit(LAYER)
    wait_until_drawn(page)
    page.locator("input.find").focus()
    page.keyboard.insert_text("golf " * 100)
    page.wait_for_function("location.search.includes('find')")
    assert len(query(page)["find"]) <= 200


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
