"""Notes on channels: kept, told in order, refused where they say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.atlas.library import Library
from analysis.atlas.notes import LONGEST, add_note, notes_about
from analysis.errors import StrataError
from tests.dashboard.synthetic import model_card, probe_card

LAYER = "a/b:c 1"


def test_notes_come_back_in_order(tmp_path: Path) -> None:
    atlas = Library(tmp_path).create_atlas(model_card(), probe_card())
    first = add_note(atlas, LAYER, 3, " Ada ", " <b>eyes</b>\n", "good")
    second = add_note(atlas, LAYER, 3, "", "no", "")
    other = add_note(atlas, LAYER, 30, "Ada", "", "wrong")
    assert notes_about(atlas, LAYER, 3) == [first, second]
    assert notes_about(atlas, LAYER) == [first, second, other]
    assert (first.who, first.text, first.verdict) == ("Ada", "<b>eyes</b>", "good")
    assert notes_about(atlas, "a/b:c 2") == notes_about(atlas, LAYER, 4) == []


@pytest.mark.parametrize(("text", "verdict"), [("  ", ""), ("x" * (LONGEST + 1), ""), ("x", "splendid")])
def test_what_is_no_note_is_refused(tmp_path: Path, text: str, verdict: str) -> None:
    atlas = Library(tmp_path).create_atlas(model_card(), probe_card())
    with pytest.raises(StrataError):
        add_note(atlas, LAYER, 3, "Ada", text, verdict)
    assert notes_about(atlas, LAYER) == []
