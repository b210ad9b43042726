"""A layer that is being built: its grid fills by itself, and what a person did to it stays."""

from __future__ import annotations

import pytest

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.jobs.table import Jobs
from analysis.task import Task
from tests.browser.test_grid import CANVAS, colours, query, wait_for_query, wait_until_drawn
from tests.dashboard.synthetic import add_atlas, model_card

LAYER = "features.2.conv"
Late = list[tuple[Task, dict[str, bytes]]]


@pytest.fixture
def held_back(shown: Library, tmp_path_factory: pytest.TempPathFactory) -> tuple[Atlas, Late]:
    """An atlas whose pictures of the last layer are still to come, and these."""
    number = len(shown.atlases())
    card = model_card(f"live{number}", f"{number:02d}" * 32)
    whole = add_atlas(Library(tmp_path_factory.mktemp("whole")), card)
    atlas = shown.create_atlas(card, whole.probe)
    tasks = whole.tasks()
    atlas.add_build(whole.builds()[0], tasks)
    late = []
    for task in tasks:
        artifact = {name: content for name, content in whole.artifacts.read(task).items() if name != "task.json"}
        if task.technique == "features" and task.layer == LAYER and task.channels != (0, 16):
            late.append((task, artifact))
        else:
            atlas.artifacts.write(task, artifact)
    return atlas, late


def test_new_pictures_come_and_the_view_stays(visit, shown: Library, held_back: tuple[Atlas, Late]) -> None:
    atlas, late = held_back
    jobs = Jobs(shown.database_url)
    job = jobs.submit("build", {"model": atlas.model.id})
    page = visit(f"/layer?atlas={atlas.id}&layer={LAYER}")
    told: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: told.append(len(frame))))
    page.reload()
    wait_until_drawn(page)
    assert page.locator(".count").inner_text() == "96 channels · 80 to come"
    page.locator("select.sort").select_option("mean")
    wait_for_query(page, "sort", "mean")
    view = page.locator(".view")
    page.locator(CANVAS).click(position={"x": 60, "y": 60}, modifiers=["Shift"])
    page.wait_for_function("new URLSearchParams(location.search).has('selected')")
    picked = query(page)["selected"]
    view.evaluate("e => { e.scrollTop = 150 }")
    page.locator(CANVAS).hover(position={"x": 60, "y": 200})
    page.locator(".card").wait_for(state="visible")
    card = page.locator(".card").inner_text()
    spots = [(60 + 120 * column, 200) for column in range(8)]
    before = [colours(page, spot) for spot in spots]
    for task, artifact in late[:-1]:
        atlas.artifacts.write(task, artifact)
    page.wait_for_selector(".count:has-text('96 channels · 16 to come')")
    atlas.artifacts.write(*late[-1])
    page.wait_for_selector(".count:text-is('96 channels')")
    page.wait_for_timeout(500)
    assert sum(colours(page, spot) != colour for spot, colour in zip(spots, before, strict=True)) > 3
    assert page.locator("select.sort").input_value() == "mean"
    assert query(page)["selected"] == picked
    assert view.evaluate("e => e.scrollTop") == 150
    assert page.locator(".card").is_visible()
    assert page.locator(".card h4").inner_text().splitlines()[0] == card.splitlines()[0]
    assert page.faults == []
    page.wait_for_timeout(1500)
    by_now = len(told)
    page.wait_for_timeout(4500)
    assert 0 < by_now == len(told), "the layer is whole, and still looked at again and again"
    jobs.cancel(job.id)


def test_a_build_that_was_stopped_is_not_waited_for(visit, shown: Library) -> None:
    card = model_card("stopped", "66" * 32)
    atlas = add_atlas(shown, card, done=0.5)
    jobs = Jobs(shown.database_url)
    job = jobs.submit("build", {"model": card.id})
    page = visit(f"/layer?atlas={atlas.id}&layer={LAYER}")
    page.wait_for_selector(".count:has-text('to come')")
    jobs.cancel(job.id)
    page.wait_for_selector(".count:text-is('96 channels')")
    told: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: told.append(len(frame))))
    page.reload()
    page.wait_for_selector(".count:text-is('96 channels')")
    page.wait_for_timeout(1500)
    by_now = len(told)
    page.wait_for_timeout(4000)
    assert 0 < by_now == len(told)


def test_a_channels_page_gets_its_picture_when_it_is_made(visit, shown: Library, held_back: tuple[Atlas, Late]) -> None:
    atlas, late = held_back
    jobs = Jobs(shown.database_url)
    job = jobs.submit("build", {"model": atlas.model.id})
    task, artifact = next((task, artifact) for task, artifact in late if task.channels == (32, 48))
    page = visit(f"/channel?atlas={atlas.id}&layer={LAYER}&channel=40")
    page.wait_for_selector("text=Its picture is not made yet")
    assert jobs.looked_at(atlas.id) == [LAYER]
    atlas.artifacts.write(task, artifact)
    page.wait_for_selector(".main img")
    jobs.cancel(job.id)
