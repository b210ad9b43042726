"""What each page says in each of its states."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.request import BuildRequest
from analysis.jobs.table import Jobs, State
from dashboard.findings import unjudged_of
from sample_models.catalog import SAMPLES
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, convolution, model_card, probe_card

LAYER = "features.1.conv"


def words(app: AppTest) -> str:
    """All that a person can read, as one text."""
    kinds = (app.title, app.caption, app.markdown, app.info, app.warning, app.error, app.subheader, app.code)
    links = [link.value for link in app.page_link]
    return "\n".join([str(element.value) for kind in kinds for element in kind] + links)


def component(app: AppTest, name: str) -> dict[str, object]:
    """What a component was given: its data, by the component's name."""
    for element in app.get("bidi_component"):
        if element.proto.component_name == name:
            return dict(json.loads(element.proto.json))
    raise AssertionError(f"there is no {name} on the page")


@pytest.mark.usefixtures("shelf")
class TestPlaces:
    def test_the_library_lists_every_atlas(self, open_page: Open) -> None:
        rows = component(open_page("library"), "strata_strips")["rows"]
        assert {row["title"] for row in rows} == {"tiny", "tiny-later", "growing"}
        assert all(row["tiles"][0] for row in rows)

    def test_the_library_says_how_far_a_build_is(self, open_page: Open) -> None:
        rows = component(open_page("library"), "strata_strips")["rows"]
        growing = next(row for row in rows if row["title"] == "growing")
        figure = next(figure for figure in growing["figures"] if figure["title"] == "done")
        assert 0 < figure["share"] < 1

    def test_the_overview_lists_layers_first_to_last_with_their_key_statistics(self, open_page: Open) -> None:
        data = component(open_page("overview", atlas="tiny-abababab"), "strata_strips")
        assert [row["title"] for row in data["rows"]] == ["features.0.conv", "features.1.conv", "features.2.conv"]
        assert {"Dead", "Silent", "Strongest response"} <= set(data["head"]["figures"])
        dead = data["rows"][0]["figures"][0]
        assert dead["value"] == "1 of 16"
        assert dead["alarm"]

    def test_a_sample_tells_its_story_and_what_to_look_at(self, own_shelf: Library, open_page: Open) -> None:
        sample = SAMPLES["doodles-early"]
        digest = hashlib.sha256(sample.file.read_bytes()).hexdigest()
        early = add_atlas(own_shelf, model_card("renamed", digest))
        add_atlas(own_shelf, model_card())
        rows = {row["title"]: row for row in component(open_page("library"), "strata_strips")["rows"]}
        assert sample.story in rows["renamed"]["note"]
        assert sample.look_at in rows["renamed"]["note"]
        assert rows["tiny"]["note"] == ""
        assert "What to look at" in words(open_page("overview", atlas=early.id))
        assert sample.look_at in words(open_page("overview", atlas=early.id)).replace("\\", "")
        assert "What to look at" not in words(open_page("overview", atlas="tiny"))

    def test_the_overview_names_the_images_that_could_not_be_read(self, open_page: Open) -> None:
        app = open_page("overview", atlas="tiny-abababab")
        assert "odd/broken.png" in words(app)
        assert "the file is empty" in words(app)
        assert any("could not be read: 1" in each.label for each in app.expander)

    def test_the_overview_of_a_growing_atlas_shows_its_progress(self, open_page: Open) -> None:
        app = open_page("overview", atlas="growing")
        assert "pieces are made" in app.get("progress")[0].proto.text

    def test_a_layer_is_one_component_with_every_channel(self, open_page: Open) -> None:
        app = open_page("layer", atlas="tiny-abababab", layer=LAYER)
        drawn = [element.proto.component_name for element in app.get("bidi_component")]
        assert drawn.count("strata_grid") == 1
        assert set(drawn) == {"strata_grid", "strata_history", "strata_keys"}
        assert not app.markdown
        data = component(app, "strata_grid")
        assert data["channels"] == list(range(48))
        panel = data["panels"][0]
        assert all(panel["picture"])
        assert all(len(examples) == 8 for examples in panel["examples"])
        assert all(len(each["values"]) == 48 for each in data["statistics"])

    def test_a_layers_view_comes_from_the_address(self, open_page: Open) -> None:
        app = open_page("layer", atlas="tiny-abababab", layer=LAYER, sort="mean", up="1", find="golf", selected="3,5")
        view = component(app, "strata_grid")["view"]
        assert (view["sort"], view["up"], view["find"], view["selected"]) == ("mean", True, "golf", [3, 5])

    def test_channels_that_are_not_there_are_not_picked(self, open_page: Open) -> None:
        app = open_page("layer", atlas="tiny-abababab", layer=LAYER, selected="1,9999,-2")
        assert component(app, "strata_grid")["view"]["selected"] == [1]

    def test_every_page_that_is_no_place_of_an_atlas_is_found_by_its_name(self, open_page: Open) -> None:
        places = component(open_page("library"), "strata_keys")["places"]
        assert isinstance(places, list)
        pages = {place["name"] for place in places if place["kind"] == "page"}
        assert pages == {"Library", "Open a model", "Image", "Dream", "Compare", "Jobs"}

    def test_a_statistic_that_is_not_there_does_not_break_an_old_address(self, open_page: Open) -> None:
        app = open_page("layer", atlas="tiny-abababab", layer=LAYER, sort="gone")
        assert component(app, "strata_grid")["view"]["sort"] == ""

    def test_a_channel_shows_picture_examples_and_numbers(self, open_page: Open) -> None:
        app = open_page("channel", atlas="tiny-abababab", layer=LAYER, channel="17")
        unit = component(app, "strata_unit")
        assert unit["picture"]["url"].endswith("/00017.webp")
        assert [len(group["items"]) for group in unit["groups"]] == [9, 3, 3]
        example = unit["groups"][0]["items"][0]
        assert example["image"] is not None
        assert example["box"] == [12 / 64, 8 / 64, 44 / 64, 40 / 64]
        gauges = component(app, "strata_gauges")
        assert gauges["own"]["low"] == -2.0
        assert {measure["place"] for measure in gauges["measures"]} == {17}
        assert "Channel 17" in words(app)

    def test_a_units_address_opens_its_channel(self, open_page: Open) -> None:
        assert "Channel 4" in words(open_page("channel", unit=f"tiny-abababab/{LAYER}:4"))

    def test_two_atlases_are_laid_side_by_side(self, open_page: Open) -> None:
        app = open_page("compare", atlas="tiny-abababab", other="tiny-later")
        rows = component(app, "strata_strips")["rows"]
        assert len(rows) == 3
        assert all(len(row["tiles"]) == 2 and all(row["tiles"]) for row in rows)
        assert rows[0]["figures"][0]["title"] == "Moved"

    def test_models_that_share_no_layer_are_said_to_in_a_sentence(self, own_shelf: Library, open_page: Open) -> None:
        add_atlas(own_shelf, model_card("one", widths=(16,)))
        other = replace(model_card("other", "cd" * 32), layers=(convolution("stem", 24, 3, 7),))
        add_atlas(own_shelf, other)
        app = open_page("compare", atlas="one-abababab", other="other-cdcdcdcd")
        assert [element.proto.component_name for element in app.get("bidi_component")].count("strata_strips") == 0
        assert "share no layer" in app.info[0].value

    def test_what_is_said_of_a_layer_is_explained(self, open_page: Open) -> None:
        said = open_page("layer", atlas="tiny-abababab", layer=LAYER).caption[0]
        assert "map 16×16" in said.value
        assert "the places at which each channel answers" in said.proto.help

    def test_a_pair_of_layers_is_one_grid_of_two_panels(self, open_page: Open) -> None:
        app = open_page("compare", atlas="tiny-abababab", other="tiny-later", layer=LAYER)
        data = component(app, "strata_grid")
        assert [panel["title"] for panel in data["panels"]] == ["tiny", "tiny-later"]
        assert data["statistics"][0]["name"] == "shift"
        assert all(picture for panel in data["panels"] for picture in panel["picture"])

    def test_comparing_begins_with_two_atlases_of_the_same_layers(self, open_page: Open) -> None:
        app = open_page("compare")
        assert len(component(app, "strata_strips")["rows"]) == 3
        assert app.query_params["atlas"] != app.query_params["other"]

    @pytest.mark.parametrize("named", ["atlas", "other"])
    def test_comparing_with_one_atlas_named_finds_another_for_it(self, open_page: Open, named: str) -> None:
        app = open_page("compare", **{named: "tiny-later"})
        pair = [str(app.query_params[name]) for name in ("atlas", "other")]
        assert any("tiny-later" in each for each in pair), "on whichever side it is the later one of the two"
        assert pair[0] != pair[1]


@pytest.mark.usefixtures("shelf")
class TestWrongAddresses:
    @pytest.mark.parametrize(
        ("page", "query", "offer"),
        [
            ("overview", {"atlas": "tiny-abababax"}, "tiny-abababab"),
            ("layer", {"atlas": "tiny-abababab", "layer": "features.1.cnv"}, LAYER),
            ("channel", {"atlas": "tiny-abababab", "layer": LAYER, "channel": "4000"}, "47"),
            ("channel", {"atlas": "tiny-abababab", "layer": LAYER, "channel": "-1"}, "/ 0"),
            ("channel", {"atlas": "tiny-abababab", "layer": LAYER, "channel": "seven"}, LAYER),
            ("layer", {"atlas": "tiny-abababab", "layer": LAYER, "selected": "1,b"}, LAYER),
            ("layer", {"atlas": "tiny-abababab"}, "Open tiny"),
            ("map", {"atlas": "tiny-abababab"}, "Open tiny"),
            ("compare", {"atlas": "tiny-abababab", "other": "nowhere"}, "tiny-abababab / "),
            ("compare", {"atlas": "tiny-abababab", "other": "tiny-ababababx"}, "tiny-abababab / "),
            ("compare", {"atlas": "tiny-abababab", "other": "tiny-later", "layer": "features.1.cnv"}, LAYER),
        ],
    )
    def test_the_nearest_place_is_offered(self, open_page: Open, page: str, query: dict[str, str], offer: str) -> None:
        app = open_page(page, **query)
        assert not app.exception
        assert len(app.warning) == 1
        assert len(app.title) == 1
        (offered,) = (link for link in app.page_link if link.proto.label.startswith("Open"))
        assert offer in offered.proto.label.replace("\\", "")
        query = dict(parse_qsl(offered.proto.query_string))
        if page == "compare":
            assert query["atlas"] != query["other"]
        app = open_page(offered.proto.page or "library", **query)
        assert not app.warning
        assert not app.exception

    def test_an_address_that_is_no_number_is_told(self, open_page: Open) -> None:
        app = open_page("channel", atlas="tiny-abababab", layer=LAYER, channel="seven")
        assert "channel=seven" in app.warning[0].value

    def test_a_job_that_is_not_there_is_told(self, open_page: Open) -> None:
        assert "no job" in open_page("dream", job="123").warning[0].value

    def test_a_page_without_its_atlas_offers_the_library(self, open_page: Open) -> None:
        app = open_page("layer")
        assert "names no atlas" in app.warning[0].value
        assert len(app.title) == 1
        assert not app.exception

    def test_a_page_without_its_layer_does_not_guess_one(self, open_page: Open) -> None:
        said = open_page("layer", atlas="tiny-abababab").warning[0].value
        assert "names no layer" in said
        assert "nearest" not in said

    def test_an_atlas_is_not_compared_with_itself_for_want_of_another(
        self, own_shelf: Library, open_page: Open
    ) -> None:
        atlas = add_atlas(own_shelf, model_card())
        app = open_page("compare", atlas=atlas.id, other="nowhere")
        assert "nearest" not in app.warning[0].value
        assert [link.proto.label for link in app.page_link] == ["Library", "To the library"]

    @pytest.mark.parametrize("page", ["open", "jobs"])
    def test_a_job_that_is_not_there_is_no_fault_of_ours(self, open_page: Open, page: str) -> None:
        app = open_page(page, job="nope")
        assert "no job “nope”" in app.warning[0].value
        assert not app.error
        assert not app.exception
        assert len(app.title) == 1

    def test_what_a_fragment_has_told_is_not_told_again(self, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise StrataError("This is wrong. Do that.")

        monkeypatch.setattr("dashboard.components.grid.panel", broken)
        app = open_page("layer", atlas="tiny-abababab", layer=LAYER)
        assert len(app.exception) == 1  # by Streamlit itself here; in the served app by `on_script_error`
        assert not app.error
        assert not app.warning


class TestEmptyAndPartial:
    @pytest.mark.usefixtures("own_shelf")
    @pytest.mark.parametrize(
        ("page", "said"),
        [("library", "strata build"), ("dream", "no model"), ("compare", "two atlases"), ("jobs", "Nothing")],
    )
    def test_an_empty_library_says_what_to_do(self, open_page: Open, page: str, said: str) -> None:
        app = open_page(page)
        assert not app.exception
        assert not app.error
        assert said in words(app)

    def test_an_empty_library_tells_of_builds_that_are_on_their_way(self, own_shelf: Library, open_page: Open) -> None:
        own_shelf.add_model(model_card(), SAMPLES["small-grey"].file)
        Jobs(own_shelf.database_url).submit("build", {"model": "tiny-abababab"})
        app = open_page("library")
        assert "on its way: tiny." in words(app)
        assert "strata build" not in words(app)
        assert "See how far it is" in [link.label for link in app.page_link]

    def test_nothing_is_counted_that_was_not_judged(self, own_shelf: Library, open_page: Open) -> None:
        own_shelf.create_atlas(model_card(), probe_card())
        job = Jobs(own_shelf.database_url).submit("build", {"model": "tiny-abababab"})

        def figures() -> dict[str, str]:
            (atlas,) = own_shelf.atlases()
            unjudged_of(atlas)
            (row,) = component(open_page("library"), "strata_strips")["rows"]
            return {figure["title"]: figure["value"] for figure in row["figures"]}

        assert figures() == {"findings": "…", "waiting": "…"}
        assert "Waiting for the engine" in open_page("overview", atlas="tiny").get("progress")[0].proto.text
        add_atlas(own_shelf, model_card())
        Jobs(own_shelf.database_url).cancel(job.id)
        assert "…" not in figures().values()

    def test_a_layer_of_which_nothing_is_there_shows_its_channels(self, own_shelf: Library, open_page: Open) -> None:
        add_atlas(own_shelf, model_card(), done=0)
        data = component(open_page("layer", atlas="tiny", layer=LAYER), "strata_grid")
        assert data["channels"] == list(range(48))
        assert set(data["panels"][0]["missing"]) == {"no picture yet"}
        assert data["statistics"] == []

    def test_channels_without_pictures_show_their_real_images(self, own_shelf: Library, open_page: Open) -> None:
        add_atlas(own_shelf, model_card(), pictures=False)
        data = component(open_page("layer", atlas="tiny", layer=LAYER), "strata_grid")
        assert data["view"]["show"] == "examples"
        assert all(data["panels"][0]["examples"])

    def test_a_channel_without_a_picture_says_why(self, own_shelf: Library, open_page: Open) -> None:
        add_atlas(own_shelf, model_card(), pictures=False, exemplars=False)
        unit = component(open_page("channel", atlas="tiny", layer=LAYER, channel="3"), "strata_unit")
        assert unit["picture"]["url"] is None
        assert "dead" in unit["picture"]["alt"]
        assert unit["groups"] == []

    def test_the_rest_of_a_layer_can_be_asked_for(self, own_shelf: Library, open_page: Open) -> None:
        add_atlas(own_shelf, model_card(), most=1)
        app = open_page("layer", atlas="tiny", layer=LAYER)
        panel = component(app, "strata_grid")["panels"][0]
        assert panel["missing"][16:] == ["not asked for"] * 32
        assert "16 of 48 channels" in words(app)
        app.button[0].click().run()
        (job,) = Jobs(own_shelf.database_url).recent(5)
        request = BuildRequest(**job.request)
        assert (request.model, request.layers, request.channels) == ("tiny-abababab", (LAYER,), None)

    def test_failed_pieces_are_counted(self, own_shelf: Library, open_page: Open) -> None:
        atlas = add_atlas(own_shelf, model_card(), done=0.9)
        for task in atlas.tasks():
            if not atlas.artifacts.has(task):
                atlas.artifacts.fail(task, "no memory")
        app = open_page("overview", atlas="tiny")
        assert any("could not be made" in each.label for each in app.expander)
        assert "no memory" in words(app)


class TestJobs:
    def test_a_running_job_can_be_cancelled(self, own_shelf: Library, open_page: Open) -> None:
        table = Jobs(own_shelf.database_url)
        job = table.submit("build", {"model": "tiny-abababab"})
        app = open_page("jobs")
        app.button(key=f"cancel-{job.id}").click().run()
        assert table.get(job.id).state == "cancelled"

    def test_a_build_leads_with_its_pieces_and_names_channels_once_they_are_drawn(
        self, own_shelf: Library, open_page: Open
    ) -> None:
        table = Jobs(own_shelf.database_url)
        job = table.submit("build", {"model": "tiny-abababab"})
        table.claim(job.id)
        figures = {"layers_done": 0, "layers": 13, "channels_done": 0, "channels": 464, "seconds_left": 54.0}
        waiting = {**figures, "techniques": {"features": [0, 17]}}
        table.write(job.id, done=43, total=60, note="finding where channels answer", progress=waiting)
        bar = open_page("jobs").get("progress")[0].proto
        assert bar.text == "43 of 60 pieces · finding where channels answer · about 54 s left"
        drawn = {**figures, "channels_done": 32, "techniques": {"features": [1, 17]}}
        table.write(job.id, progress=drawn)
        assert "0 of 13 layers complete · 32 of 464 channels drawn" in open_page("jobs").get("progress")[0].proto.text

    def test_a_failed_job_says_why(self, own_shelf: Library, open_page: Open) -> None:
        table = Jobs(own_shelf.database_url)
        job = table.submit("build", {"model": "tiny-abababab"})
        table.claim(job.id)
        table.finish(job.id, "failed", error="The disk is full. Make room.")
        assert "The disk is full. Make room." in words(open_page("jobs")).replace("\\", "")

    def test_a_job_has_a_log(self, own_shelf: Library, open_page: Open) -> None:
        atlas = add_atlas(own_shelf, model_card(), done=0.9)
        (*_, lacking) = atlas.tasks()
        atlas.artifacts.fail(lacking, "No memory. Take fewer.")
        table = Jobs(own_shelf.database_url)
        request = {
            "model": "tiny-abababab",
            "layers": [LAYER],
            "techniques": {"features": {"steps": 9}},
            "channels": None,
        }
        job = table.submit("build", request, asked_by="Ada")
        table.claim(job.id)
        table.write(job.id, result={"atlas": atlas.id}, progress={"techniques": {"features": [3, 8]}})
        said = words(open_page("jobs")).replace("\\", "")
        for part in (
            "Asked for by Ada.",
            "Begun.",
            "features: 3 of 8 tasks done",
            "No memory. Take fewer.",
            "Last heard of",
        ):
            assert part in said
        assert f"layers: {LAYER}" in said
        assert "techniques: features (steps = 9)" in said
        assert "channels" not in said
        table.finish(job.id, "done")
        app = open_page("jobs")
        app.selectbox(key="log-of").select(job.id).run()
        assert "Done." in words(app)
        assert app.query_params["job"] == job.id
        assert "Done." in words(open_page("jobs", job=job.id))

    def test_the_log_of_a_job_of_long_ago_is_found(self, own_shelf: Library, open_page: Open) -> None:
        table = Jobs(own_shelf.database_url)
        jobs = [table.submit("build", {"model": f"net-{number}"}) for number in range(62)]
        for job in jobs:
            table.claim(job.id)
            table.finish(job.id, "done")
        app = open_page("jobs", job=jobs[0].id)
        assert app.selectbox(key="log-of").value == jobs[0].id
        assert "model: net-0" in words(app).replace("\\", "")

    def test_the_address_says_whose_log_is_shown(self, own_shelf: Library, open_page: Open) -> None:
        table = Jobs(own_shelf.database_url)
        job = table.submit("build", {"model": "tiny-abababab"})
        table.claim(job.id)
        table.finish(job.id, "done")
        app = open_page("jobs", job=job.id)
        del app.query_params["job"]  # the browser's Back
        app.run()
        assert app.selectbox(key="log-of").value is None
        assert "job" not in app.query_params

    def test_pictures_on_request_are_called_by_their_unit(self, own_shelf: Library, open_page: Open) -> None:
        table = Jobs(own_shelf.database_url)
        table.submit("render", {"atlas": "tiny-abababab.12", "layer": LAYER, "channel": 5})
        assert f"Pictures of {LAYER}:5" in words(open_page("jobs")).replace("\\", "")

    @pytest.mark.parametrize("state", ["failed", "cancelled"])
    def test_what_was_broken_off_can_be_run_again(self, own_shelf: Library, open_page: Open, state: State) -> None:
        table = Jobs(own_shelf.database_url)
        job = table.submit("build", {"model": "tiny-abababab", "layers": ["features.1.conv"]})
        table.claim(job.id)
        table.finish(job.id, state, error="The disk is full. Make room.")
        app = open_page("jobs")
        app.button(key=f"again-{job.id}").click().run()
        again = table.recent(1)[0]
        assert again.id != job.id
        assert (again.kind, again.state, again.request) == ("build", "queued", job.request)
        assert [button.key for button in app.button] == [f"cancel-{again.id}"]
        rows = component(app, "strata_strips")["rows"]
        assert rows[0]["subtitle"] == "The disk is full. Make room."
        assert rows[0]["figures"][-1]["alarm"] == (state == "failed")


@pytest.mark.usefixtures("shelf")
class TestTheLayersPlot:
    def test_it_is_drawn_where_the_address_asks_for_it(self, open_page: Open) -> None:
        where = {"atlas": "tiny-abababab", "layer": LAYER}
        assert not open_page("layer", **where).get("plotly_chart")
        app = open_page("layer", **where, across="mean", upward="zeros", selected="3,5")
        (chart,) = app.get("plotly_chart")
        figure = json.loads(chart.proto.spec)
        points = figure["data"][-1]
        assert points["customdata"] == list(range(48))
        assert [size > 6 for size in points["marker"]["size"]] == [channel in (3, 5) for channel in range(48)]
        assert [box.value for box in app.selectbox] == ["mean", "zeros"]

    def test_other_statistics_are_chosen_into_the_address(self, open_page: Open) -> None:
        app = open_page("layer", atlas="tiny-abababab", layer=LAYER, across="mean", upward="zeros")
        app.selectbox[1].select("peak_max").run()
        assert app.query_params["upward"] in ("peak_max", ["peak_max"])

    def test_statistics_that_are_not_there_do_not_break_an_old_address(self, open_page: Open) -> None:
        app = open_page("layer", atlas="tiny-abababab", layer=LAYER, across="gone", upward="gone")
        assert not app.exception
        assert len({box.value for box in app.selectbox}) == 2

    def test_tiles_show_whole_images_of_the_strongest_patches(self, open_page: Open) -> None:
        data = component(open_page("layer", atlas="tiny-abababab", layer=LAYER, show="images"), "strata_grid")
        assert data["view"]["show"] == "images"
        panel = data["panels"][0]
        assert all(len(whole) == 4 for whole in panel["whole"])
        (sheet,) = {s for whole in panel["whole"] for s, _ in whole}
        assert "/images/" in data["sheets"][sheet]["url"]


def test_what_an_address_says_is_shown_as_text(shelf: Library, open_page: Open) -> None:
    """A picture in Markdown would be fetched from wherever the address's writer likes."""
    app = open_page("layer", atlas="tiny", layer="![](https://elsewhere.example/seen.png)")
    (told,) = app.warning
    assert "elsewhere" in told.value
    assert "![" not in told.value
