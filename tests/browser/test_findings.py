"""A finding in a real browser: opened, it leads to its channels."""

from __future__ import annotations


def test_a_finding_opens_and_leads_to_a_channel(visit) -> None:
    page = visit("/overview?atlas=tiny-abababab")
    card = page.locator("details.card").first
    card.locator("summary").click()
    card.get_by_text("What to do.").wait_for()  # a card is filled when it has opened
    card.locator("a.unit").first.click()
    page.wait_for_selector("h1:has-text('Channel 3')")
    assert page.faults == []
