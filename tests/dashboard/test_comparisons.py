"""Two atlases side by side: which is first, what the sentence above them says, the same channels on both sides."""

from __future__ import annotations

import hashlib

import pytest

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from dashboard.comparisons import layer_pairs, natural_pair, older_first, summary
from dashboard.layers import represented
from sample_models.catalog import SAMPLES
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, model_card
from tests.dashboard.test_classes import classifier
from tests.dashboard.test_pages import component, words


def sample_atlas(shelf: Library, name: str) -> Atlas:
    return add_atlas(shelf, model_card(name, hashlib.sha256(SAMPLES[name].file.read_bytes()).hexdigest()))


class TestTheOlderIsFirst:
    @pytest.mark.parametrize(
        ("made_first", "made_then"), [("doodles", "doodles-early"), ("doodles-shortcut", "doodles-early")]
    )
    def test_of_samples_by_their_training(
        self, own_shelf: Library, open_page: Open, made_first: str, made_then: str
    ) -> None:
        late, early = sample_atlas(own_shelf, made_first), sample_atlas(own_shelf, made_then)
        for wanted in ("", late.id, early.id):
            assert natural_pair(own_shelf.atlases(), wanted) == (early.id, late.id)
        app = open_page("compare", atlas=late.id)
        assert [box.value for box in app.selectbox] == [early.id, late.id]
        app = open_page("compare", atlas=late.id, other=early.id)
        assert [box.value for box in app.selectbox] == [late.id, early.id], "as the address says"

    @pytest.mark.parametrize(
        ("made", "order"), [(("epoch90", "epoch9"), (1, 0)), (("net-2", "other-1"), (0, 1)), (("b", "a"), (0, 1))]
    )
    def test_of_others_by_their_number_else_by_when_they_were_made(
        self, own_shelf: Library, made: tuple[str, str], order: tuple[int, int]
    ) -> None:
        pair = [add_atlas(own_shelf, model_card(name, f"{number}{number}" * 32)) for number, name in enumerate(made)]
        assert older_first(pair[1], pair[0]) == tuple(pair[number].id for number in order)


def test_one_sentence_says_what_changed(own_shelf: Library, open_page: Open) -> None:
    early = classifier(own_shelf, "early", "11" * 32, accuracy=0.183)
    late = classifier(own_shelf, "late", "22" * 32, accuracy=1.0, seed=9)
    pairs = layer_pairs(early, late)
    most = max(zip(pairs["mean_shift"][:3], pairs["layer_a"], strict=False))[1]
    said = f"early names 18.3 % of the images rightly, late 100.0 %; {most} moved most; no channel died or came alive."
    assert summary(early, late, pairs) == said
    assert said in words(open_page("compare", atlas=early.id, other=late.id)).replace("\\", "")
    pairs.loc[0, "died"], pairs.loc[1, "revived"] = 2, 1
    assert summary(early, late, pairs).endswith("; 2 channels died and 1 came alive.")


def test_what_is_not_known_is_not_said(own_shelf: Library) -> None:
    one, other = (add_atlas(own_shelf, model_card(name, name * 32), done=0) for name in ("a1", "b2"))
    assert summary(one, other, layer_pairs(one, other)) == ""


def test_the_output_is_the_last_row_and_a_pair_of_grids(own_shelf: Library, open_page: Open) -> None:
    early, late = classifier(own_shelf, "early", "11" * 32), classifier(own_shelf, "late", "22" * 32)
    row = component(open_page("compare", atlas=early.id, other=late.id), "strata_strips")["rows"][-1]
    assert (row["title"], row["subtitle"]) == ("output", "4 classes")
    assert [figure["value"] for figure in row["figures"][1:]] == ["–", "–", "–"]
    assert all(row["tiles"])
    app = open_page("compare", atlas=early.id, other=late.id, layer="output")
    assert component(app, "strata_grid")["channels"] == [0, 1, 2, 3]


@pytest.mark.usefixtures("shelf")
def test_both_sides_show_the_same_channels(shelf: Library, open_page: Open) -> None:
    data = component(open_page("compare", atlas="tiny-abababab", other="tiny-later"), "strata_strips")
    for row in data["rows"]:
        first, second = (
            [(data["sheets"][sheet]["url"].split("/")[-2], tile) for sheet, tile in side] for side in row["tiles"]
        )
        assert [(place[:9], tile) for place, tile in first] == [(place[:9], tile) for place, tile in second]
    later = shelf.atlas("tiny-later")
    chosen = represented(later, later.model.layer("features.0.conv"), 6)
    assert [tile for _, tile in data["rows"][0]["tiles"][1]] == chosen, "those that tell most of the second"


@pytest.mark.usefixtures("shelf")
def test_silent_is_the_same_figure_on_the_overview(open_page: Open) -> None:
    overview = component(open_page("overview", atlas="tiny-abababab"), "strata_strips")["rows"]
    compared = component(open_page("compare", atlas="tiny-abababab", other="tiny-later"), "strata_strips")["rows"]

    def silent(row: dict) -> str:
        return next(figure["value"] for figure in row["figures"] if figure["title"] == "Silent")

    assert [silent(row) for row in overview] == [silent(row).split(" → ")[0] for row in compared]
