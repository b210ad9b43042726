"""What looks wrong, on the overview and in the library."""

from __future__ import annotations

import pytest

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.findings.finding import Finding, Missing
from dashboard import findings
from tests.dashboard.conftest import Open
from tests.dashboard.test_pages import component, words

LAYER = "features.1.conv"
COPIES = Finding(
    "copies", "high", "Half of the layer copies the other half.", LAYER,
    tuple(f"tiny-abababab/{LAYER}:{channel}" for channel in range(30)),
    {"copies": 30, "cosine": 0.98765}, "Trained layers hold none.", "Prune 15 of them.",
)  # fmt: skip
RANGE = Finding("range", "low", "The input is darker than usual.", None, (), {}, "0.5", "Look at it.")


@pytest.fixture
def found(shelf: Library, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the rules find from now on."""
    told = [COPIES, RANGE]
    monkeypatch.setattr(findings, "find", lambda atlas: told)
    monkeypatch.setattr(findings, "missing", lambda atlas: [Missing("shift", "Batch norm", "needs images")])
    findings._judged.cache_clear()
    yield told
    findings._judged.cache_clear()


def test_the_overview_tells_findings_with_evidence_null_cure_and_channels(
    found: list[Finding], open_page: Open
) -> None:
    data = component(open_page("overview", atlas="tiny-abababab"), "strata_findings")
    first, second = data["cards"]
    assert (first["severity"], first["title"]) == ("high", COPIES.title)
    assert ["cosine", "0.988"] in first["evidence"]
    assert (first["null"], first["cure"]) == (COPIES.null, COPIES.cure)
    assert len(first["units"]) == 24
    assert first["more"] == 6
    assert all(unit["tile"] for unit in first["units"])
    assert first["units"][3]["href"] == f"/channel?atlas=tiny-abababab.12121212&layer={LAYER}&channel=3"
    assert (second["layer"], second["units"]) == ("", [])
    assert data["unjudged"] == ["Batch norm: needs images"]


def test_where_nothing_is_wrong_it_says_so(
    found: list[Finding], monkeypatch: pytest.MonkeyPatch, open_page: Open
) -> None:
    found.clear()
    monkeypatch.setattr(findings, "missing", lambda atlas: [])
    assert "Nothing looks wrong" in words(open_page("overview", atlas="tiny-abababab"))


def test_the_library_counts_them_without_waiting(found: list[Finding], shelf: Library, open_page: Open) -> None:
    atlas: Atlas = shelf.atlas("tiny-abababab")
    findings.findings_of(atlas)
    rows = component(open_page("library"), "strata_strips")["rows"]
    row = next(row for row in rows if row["title"] == "tiny")
    figure = next(figure for figure in row["figures"] if figure["title"] == "findings")
    assert (figure["value"], figure["alarm"]) == ("2", True)


def test_an_atlas_that_can_not_be_judged_is_shown_all_the_same(
    found: list[Finding], monkeypatch: pytest.MonkeyPatch, open_page: Open
) -> None:
    def broken(atlas: Atlas) -> list[Finding]:
        raise KeyError("a column of later versions")

    monkeypatch.setattr(findings, "find", broken)
    app = open_page("overview", atlas="tiny-abababab")
    assert not app.error
    assert "can not be judged" in component(app, "strata_findings")["unjudged"][0]
    assert len(component(app, "strata_strips")["rows"]) == 3
    assert not open_page("library").error


def test_a_channel_of_a_layer_that_is_not_there_is_left_out(found: list[Finding], open_page: Open) -> None:
    found[0] = Finding("x", "high", "x", None, ("tiny-abababab/none:3",), {}, "", "")
    assert component(open_page("overview", atlas="tiny-abababab"), "strata_findings")["cards"][0]["units"] == []
