"""The technique plans whole chunks and leaves files that anyone can read."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from analysis import encoding
from analysis.features.files import in_three_colors
from analysis.features.parameters import AtlasParameters
from analysis.features.prior_technique import PriorParameters, PriorTechnique
from analysis.features.technique import FeaturesTechnique
from analysis.technique import Context, Request, Wanted
from tests.features.nets import Images, model_of, small_net, spec_of


def build(model, probe, wanted, parameters):
    """Every task's artifact, planned and run as a worker would."""
    prior, features = PriorTechnique(), FeaturesTechnique()
    card = probe.card if probe else None
    first = prior.plan(Request(model.card, card, wanted, PriorParameters()))
    tasks = features.plan(Request(model.card, card, wanted, parameters, {"prior": first}))
    context = Context(model=lambda: model, probe=lambda: probe, inputs={})
    artifact = prior.run(first[0], context)
    context = replace(context, inputs={first[0].key: artifact})
    return artifact, [(task, features.run(task, context)) for task in tasks]


QUICK = AtlasParameters(steps=4)


def test_the_files_of_a_task():
    model = model_of(small_net(), spec_of(height=30, width=40))
    prior, made = build(model, Images(), Wanted(("0", "2"), (0, 1, 2, 8)), QUICK)
    assert set(prior) == {"prior.npz", "baseline.npz"}
    assert set(encoding.from_npz(prior["baseline.npz"])) == {"0", "2"}
    assert [(task.layer, task.channels) for task, _ in made] == [("0", (0, 3)), ("2", (0, 3)), ("2", (8, 9))]
    _, files = made[1]
    table = encoding.from_parquet(files["features.parquet"])
    assert table["channel"].tolist() == [0, 1, 2]
    assert table["state"].tolist() == ["driven"] * 3
    assert np.isfinite(table[["activation", "peak", "natural", "ratio"]].to_numpy()).all()
    facts = encoding.from_json(files["facts.json"])
    assert facts["tile"] == [40, 30]
    assert encoding.from_picture(files["sheet.webp"]).shape == (30, 40 * facts["columns"], 3)
    assert encoding.from_picture(files["00001.webp"]).shape == (30, 40, 3)


def test_a_stem_is_judged_by_the_side_of_zero_that_its_pictures_are_for():
    model = model_of(small_net())
    _, [(_, files)] = build(
        model, Images(), Wanted(("0",), (0, 1, 2)), AtlasParameters(steps=16, negative=True, sketch=0)
    )
    table = encoding.from_parquet(files["features.parquet"])
    assert (table["peak"] < table["activation"]).all()
    assert (table["activation"] < table["natural"]).all()
    assert (table["natural"] < 0).all()
    assert (table["ratio"] > 1).all()


def test_the_same_task_gives_the_same_bytes():
    model = model_of(small_net())
    (_, first), (_, second) = (build(model, Images(), Wanted(("2",), (0, 1)), QUICK)[1][0] for _ in range(2))
    assert first == second


def test_without_images_there_are_pictures_and_no_ratio():
    model = model_of(small_net(4), spec_of(4))
    _, [(_, files)] = build(model, None, Wanted(("2",), (5,)), QUICK)
    table = encoding.from_parquet(files["features.parquet"])
    assert table["ratio"].isna().all()
    assert np.isfinite(table["activation"]).all()


def test_an_input_of_many_planes_is_shown_plane_by_plane_too():
    model = model_of(small_net(4), spec_of(4))
    _, [(_, files)] = build(model, None, Wanted(("2",), (5,)), QUICK)
    assert encoding.from_json(files["facts.json"])["planes"] == 4
    assert encoding.from_picture(files["00005-planes.webp"]).shape == (48, 4 * 48, 3)
    _, [(_, colored)] = build(model_of(small_net()), None, Wanted(("2",), (5,)), QUICK)
    assert "00005-planes.webp" not in colored


def test_sketches_of_everything_come_before_any_picture():
    model = model_of(small_net())
    wanted = Wanted(("0", "2"))
    prior = PriorTechnique().plan(Request(model.card, None, wanted, PriorParameters()))

    def planned(**settings):
        request = Request(model.card, None, wanted, AtlasParameters(**settings), {"prior": prior})
        return FeaturesTechnique().plan(request)

    tasks = planned(steps=40)
    sketches = [task for task in tasks if task.technique == "sketches"]
    pictures = [task for task in tasks if task.technique == "features"]
    assert [task.layer for task in sketches] == [task.layer for task in pictures] == ["0", "2"]
    assert {task.parameters["steps"] for task in sketches} == {8}
    assert min(task.priority for task in sketches) > max(task.priority for task in pictures)
    assert {task.technique for task in planned(steps=8)} == {"features"}, "what is as quick needs no sketch"
    assert [task.key for task in planned(steps=40, sketch=0)] == [task.key for task in pictures]


def test_what_was_drawn_for_another_input_is_drawn_again():
    model = model_of(small_net())
    wanted = Wanted(("0", "2"))

    def keys(**corrected):
        card = replace(model.card, input=replace(model.card.input, **corrected))
        prior = PriorTechnique().plan(Request(card, None, wanted, PriorParameters()))
        return {task.key for task in FeaturesTechnique().plan(Request(card, None, wanted, QUICK, {"prior": prior}))}

    as_it_was = keys()
    assert keys(evidence={"mean": "as you said"}) == as_it_was, "how it is known changes no picture"
    for corrected in ({"order": "BGR"}, {"range": (0.0, 255.0)}, {"mean": (0.1,) * 3}, {"std": (0.2,) * 3}):
        assert not keys(**corrected) & as_it_was, corrected


def test_the_classes_of_a_head_are_planned_and_drawn_like_channels():
    torch.manual_seed(0)
    model = model_of(nn.Sequential(small_net(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 4)))
    prior, made = build(model, Images(), Wanted((), None, ("output",)), AtlasParameters(steps=4, site="activation"))
    assert "output" in encoding.from_npz(prior["baseline.npz"])
    [(task, files)] = made
    assert (task.layer, task.channels, task.parameters["site"]) == ("output", (0, 4), "conv")
    assert encoding.from_parquet(files["features.parquet"])["ratio"].notna().all()


def test_a_probe_too_small_for_a_spectrum_counts_as_none():
    model = model_of(small_net())
    few = replace(Images.card, count=15)
    (task,) = PriorTechnique().plan(Request(model.card, few, Wanted(("2",)), PriorParameters()))
    assert task.probe is None


def test_first_channels_of_every_layer_come_before_any_last_ones():
    model = model_of(small_net())
    wide = replace(model.card.layers[1], out_channels=200)
    card = replace(model.card, layers=(model.card.layers[0], wide))
    wanted = Wanted(("0", "2"))
    prior = PriorTechnique().plan(Request(card, None, wanted, PriorParameters()))
    tasks = FeaturesTechnique().plan(Request(card, None, wanted, QUICK, {"prior": prior}))
    last = [task.priority for task in tasks if task.channels[0] > 0]
    assert min(task.priority for task in tasks if task.channels[0] == 0) > max(last)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7, 12])
def test_any_number_of_planes_becomes_a_picture(channels):
    pixels = in_three_colors(torch.rand(channels, 6, 9))
    assert pixels.shape == (6, 9, 3)
    assert pixels.dtype == np.uint8
