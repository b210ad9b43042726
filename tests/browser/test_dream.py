"""A dream watched in two browsers: pictures come by themselves, a reload and a second browser show the same."""

from __future__ import annotations

import pytest

from analysis.atlas.library import Library
from analysis.jobs.table import Job, Jobs
from tests.dashboard.synthetic import model_card, pattern, png
from tests.dashboard.test_dream import dreamed


@pytest.fixture
def table(shown: Library, tmp_path) -> Jobs:
    file = tmp_path / "tiny.pth"
    file.write_bytes(b"weights")
    shown.add_model(model_card(), file)
    return Jobs(shown.database_url)


def draw(shelf: Library, job: Job, number: int) -> None:
    (shelf.dream_folder(job.id) / f"octave-{number}.webp").write_bytes(png(pattern(number)))


def test_pictures_come_by_themselves_and_everywhere(visit, shown: Library, table: Jobs) -> None:
    job = dreamed(shown, table, octaves=0)
    draw(shown, job, 0)
    page, other = visit(f"/dream?job={job.id}"), visit(f"/dream?job={job.id}")
    for each in (page, other):
        each.wait_for_selector(".film button:nth-child(1)")
    draw(shown, job, 1)
    table.write(job.id, done=500, total=1000, note="octave 2 of 2")
    for each in (page, other):
        each.wait_for_selector(".film button:nth-child(2)[aria-selected=true]")
        each.wait_for_selector("text=octave 2 of 2")
    page.reload()
    page.wait_for_selector(".film button:nth-child(2)[aria-selected=true]")
    (shown.dream_folder(job.id) / "final.png").write_bytes(png(pattern(1)))
    table.finish(job.id, "done")
    for each in (page, other):
        link = each.locator("a.keep")
        link.wait_for(state="visible")
        assert link.get_attribute("href") == f"/dreams/{job.id}/final.png?download"
    with page.expect_download() as kept:
        page.locator("a.keep").click()
    assert kept.value.suggested_filename == f"strata-{job.id}-final.png"


def test_the_seam_slides_from_before_to_after(visit, shown: Library, table: Jobs) -> None:
    job = dreamed(shown, table, octaves=0)
    draw(shown, job, 0)
    table.finish(job.id, "done")
    page = visit(f"/dream?job={job.id}")
    slider = page.locator(".viewer input")
    slider.wait_for(state="attached")
    slider.focus()
    slider.press("End")
    assert page.locator(".viewer").evaluate("e => e.style.getPropertyValue('--at')") == "100%"
    slider.press("Home")
    assert page.locator(".viewer").evaluate("e => e.style.getPropertyValue('--at')") == "0%"


def test_asking_for_a_dream_leads_to_its_own_address(visit, table: Jobs) -> None:
    page = visit("/dream?atlas=tiny-abababab&layer=features.2.conv")
    page.get_by_role("button", name="Dream", exact=False).last.click()
    page.wait_for_url("**/dream?job=*")
    page.wait_for_selector("text=Dream with features.2.conv of tiny-abababab")
    page.wait_for_selector("text=Waiting for the engine")


def test_an_upload_is_taken_and_rubbish_refused(visit, table: Jobs) -> None:
    page = visit("/dream?atlas=tiny-abababab")
    page.get_by_text("Your own").click()
    bring = page.locator("input[type=file]")
    bring.set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": b"nothing of the kind"})
    page.wait_for_selector("text=photo.png is not an image")
    bring.set_input_files({"name": "real.png", "mimeType": "image/png", "buffer": png(pattern(3, 300))})
    page.wait_for_selector("img[alt='real.png']")
