"""What `make run` files on a fresh machine."""

from __future__ import annotations

from pathlib import Path

from analysis.atlas.library import Library
from analysis.jobs.table import Jobs
from sample_models.catalog import DEFAULT, SAMPLES, draw_probe
from sample_models.first_run import DREAMER, file_sample_builds


def test_the_default_sample_is_built_first_and_nothing_is_filed_twice(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    draw_probe(library.root / "samples" / DEFAULT[0], DEFAULT[0], count=12)
    for _ in range(2):
        file_sample_builds(library)
        first, second = Jobs(library.database_url).unfinished()
        cards = {card.id: card for card in library.models()}
        assert len(cards) == 3
        assert cards[first.request["model"]].name == SAMPLES[DEFAULT[0]].file.stem
        assert cards[second.request["model"]].name == SAMPLES[DEFAULT[1]].file.stem
        assert not first.request["later"]
        assert second.request["later"]
        assert [atlas.model.id for atlas in library.atlases()] == [first.request["model"], second.request["model"]]
    assert SAMPLES[DREAMER].file.stem in {card.name for card in cards.values()}
