"""From planned tasks to the files of an atlas: measured, joined, cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from analysis import encoding
from analysis.exemplars.cut import COLUMNS
from analysis.exemplars.images import Images, ImagesParameters
from analysis.exemplars.outputs import Outputs
from analysis.exemplars.patches import picture_of
from analysis.exemplars.technique import ExemplarParameters, Exemplars
from analysis.features.files import in_three_colors
from analysis.models.assemble import Origin, assemble
from analysis.models.input_spec import InputSpec
from analysis.models.model import Model
from analysis.probe import open_probe
from analysis.probe.probe import Probe
from analysis.statistics import columns as statistics_columns
from analysis.statistics.technique import Measure, MeasureParameters, NoParameters, Statistics
from analysis.task import Task
from analysis.technique import Artifact, Context, Request, Wanted
from tests.probe.pictures import write_pictures
from tests.statistics.nets import InPlace, Mixed, Residual, opened

WANTED = Wanted(("stem", "deep"))


class Build:
    """Runs techniques one after the other over one model and probe, keeping their artifacts."""

    def __init__(self, model: Model, probe: Probe) -> None:
        self.model, self.probe = model, probe
        self.artifacts: dict[str, Artifact] = {}
        self.planned: dict[str, list[Task]] = {}

    def run(self, technique: Any, parameters: Any, wanted: Wanted) -> list[Artifact]:
        tasks = technique.plan(Request(self.model.card, self.probe.card, wanted, parameters, self.planned))
        self.planned[technique.name] = tasks
        for task in tasks:
            inputs = {key: self.artifacts[key] for key in task.needs}
            context = Context(lambda: self.model, lambda: self.probe, inputs)
            self.artifacts[task.key] = technique.run(task, context)
        return [self.artifacts[task.key] for task in tasks]


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Probe:
    return open_probe(str(write_pictures(tmp_path_factory.mktemp("probe"), 23, classes=3)))


@pytest.fixture(scope="module")
def build(probe: Probe) -> Build:
    done = Build(opened(Residual), probe)
    done.run(Measure(), MeasureParameters(shard=9), WANTED)
    return done


def test_shards_of_any_size_give_the_same_tables_and_exemplars(build: Build, probe: Probe) -> None:
    whole = Build(build.model, probe)
    whole.run(Measure(), MeasureParameters(shard=4096), WANTED)
    assert len(build.planned["measure"]) == 3
    assert len(whole.planned["measure"]) == 1
    for technique, parameters, file in (
        (Statistics(), NoParameters(), "statistics.parquet"),
        (Exemplars(), ExemplarParameters(), "exemplars.parquet"),
    ):
        for one, two in zip(
            build.run(technique, parameters, WANTED), whole.run(technique, parameters, WANTED), strict=True
        ):
            a, b = encoding.from_parquet(one[file]), encoding.from_parquet(two[file])
            for name in a.columns:
                if a[name].dtype.kind == "f":
                    np.testing.assert_allclose(a[name], b[name], rtol=1e-5, atol=1e-6, err_msg=name)
                elif name not in {"histogram", "histogram_edges", "after_histogram", "class_means", "classes"}:
                    assert a[name].tolist() == b[name].tolist(), name


def test_the_same_task_gives_the_same_bytes(build: Build) -> None:
    task = build.planned["measure"][0]
    context = Context(lambda: build.model, lambda: build.probe, {})
    assert dict(Measure().run(task, context)) == dict(build.artifacts[task.key])


def test_columns_are_those_documented(build: Build) -> None:
    for artifact in build.run(Statistics(), NoParameters(), WANTED):
        table = encoding.from_parquet(artifact["statistics.parquet"])
        assert list(table.columns) == list(statistics_columns.COLUMNS)
    for artifact in build.run(Exemplars(), ExemplarParameters(), WANTED):
        assert list(encoding.from_parquet(artifact["exemplars.parquet"]).columns) == list(COLUMNS)


def test_exemplars_are_the_strongest_one_patch_an_image(build: Build) -> None:
    artifact = build.run(Exemplars(), ExemplarParameters(top=5, median=2, least=3, tile=32), Wanted(("stem",)))[0]
    table = encoding.from_parquet(artifact["exemplars.parquet"])
    maps: list[torch.Tensor] = []
    handle = build.model.module.stem.register_forward_hook(lambda _m, _i, output: maps.append(output.clone()))
    with torch.no_grad():
        build.model(build.probe.batch(range(23), build.model.card.input))
    handle.remove()
    peaks = maps[0].amax((2, 3)).numpy()
    for channel, rows in table.groupby("channel"):
        assert len(rows["image"]) == len(set(rows["image"])) == 10
        top = rows[rows["kind"] == "top"].sort_values("rank")
        assert top["image"].tolist() == np.argsort(-peaks[:, channel], kind="stable")[:5].tolist()
        least = rows[rows["kind"] == "least"].sort_values("rank")
        assert least["image"].tolist() == np.argsort(peaks[:, channel], kind="stable")[:3].tolist()
        for row in top.itertuples():
            assert maps[0][row.image, channel, row.y, row.x] == pytest.approx(row.value, rel=1e-5)
    assert set(table["name"]) <= set(build.probe.names)
    assert set(table["label"]) <= {"class-0", "class-1", "class-2"}


def test_the_sheet_holds_every_tile(build: Build) -> None:
    artifact = build.run(Exemplars(), ExemplarParameters(tile=32), Wanted(("stem",)))[0]
    facts = encoding.from_json(artifact["facts.json"])
    sheet = encoding.from_picture(artifact["patches.webp"])
    table = encoding.from_parquet(artifact["exemplars.parquet"])
    assert facts["tile"] == 32
    assert sheet.shape[1] == facts["columns"] * 32
    assert sheet.shape[0] == -(-len(table) // facts["columns"]) * 32
    assert sorted(table["tile"]) == list(range(len(table)))


def test_images_holds_each_image_once(build: Build) -> None:
    build.run(Exemplars(), ExemplarParameters(), WANTED)
    artifact = build.run(Images(), ImagesParameters(tile=32), WANTED)[0]
    table = encoding.from_parquet(artifact["images.parquet"])
    named = {
        key: encoding.from_parquet(build.artifacts[key]["exemplars.parquet"])
        for key in build.planned["images"][0].needs
    }
    assert table["image"].tolist() == sorted(set().union(*(set(each["image"]) for each in named.values())))
    assert (table["sheet"] == 0).all()
    sheet = encoding.from_picture(artifact["sheet-0.webp"])
    first = sheet[:32, :32].astype(int)
    expected = encoding.to_pixels(build.probe.batch([table["image"][0]], build.model.card.input)[0].numpy())
    small = np.asarray(Image.fromarray(expected).resize((32, 32), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(first - small).mean() < 12


def test_a_channel_range_is_what_was_asked_for(build: Build) -> None:
    artifact = build.run(Exemplars(), ExemplarParameters(), Wanted(("stem",), (2, 3)))[0]
    assert set(encoding.from_parquet(artifact["exemplars.parquet"])["channel"]) == {2, 3}


def test_a_classifier_s_outputs_are_units(build: Build) -> None:
    artifact = build.run(Outputs(), ExemplarParameters(top=3, median=0, least=0), WANTED)[0]
    with torch.no_grad():
        logits = build.model(build.probe.batch(range(23), build.model.card.input)).numpy()
    table = encoding.from_parquet(artifact["exemplars.parquet"])
    for unit in range(3):
        assert (
            table[table["channel"] == unit]["image"].tolist()
            == np.argsort(-logits[:, unit], kind="stable")[:3].tolist()
        )
    assert set(zip(table["top"], table["left"], table["bottom"], table["right"], strict=True)) == {(0, 0, 16, 16)}
    facts = encoding.from_json(artifact["predictions.json"])
    labels = build.probe.labels
    assert labels is not None
    assert facts["accuracy"] == pytest.approx((logits.argmax(1) == labels).mean())
    confusion = encoding.from_parquet(artifact["confusion.parquet"])
    for row in confusion.itertuples():
        assert row.count == ((labels == row.label) & (logits.argmax(1) == row.predicted)).sum()
    assert confusion["count"].sum() == 23
    assert set(confusion["label_name"]) == {"class-0", "class-1", "class-2"}


class Several(torch.nn.Module):
    """Two heads with names, and a map that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 6, 3)
        self.age, self.kind = torch.nn.Linear(6, 5), torch.nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        maps = torch.relu(self.conv(x))
        mean = maps.mean((2, 3))
        return {"maps": maps, "age": self.age(mean), "kind": self.kind(mean)}


def test_the_classes_of_each_of_several_heads_are_units(probe: Probe) -> None:
    done = Build(opened(Several), probe)
    done.run(Measure(), MeasureParameters(shard=9), Wanted(("conv",)))
    artifacts = done.run(Outputs(), ExemplarParameters(top=3, median=0, least=0), Wanted(("conv",)))
    assert [task.layer for task in done.planned["outputs"]] == ["output.age", "output.kind"]
    with torch.no_grad():
        output = done.model(probe.batch(range(23), done.model.card.input))
    for artifact, head in zip(artifacts, ("age", "kind"), strict=True):
        scores = output[head].numpy()
        statistics = encoding.from_parquet(artifact["statistics.parquet"])
        np.testing.assert_allclose(statistics["mean"], scores.mean(0), rtol=1e-4, atol=1e-6)
        table = encoding.from_parquet(artifact["exemplars.parquet"])
        for unit in range(scores.shape[1]):
            strongest = np.argsort(-scores[:, unit], kind="stable")[:3].tolist()
            assert table[table["channel"] == unit]["image"].tolist() == strongest
        assert "several" in encoding.from_json(artifact["predictions.json"])["needs"]


def test_a_net_that_is_no_classifier_says_so(probe: Probe) -> None:
    done = Build(opened(Mixed), probe)
    done.run(Measure(), MeasureParameters(), Wanted(("first",)))
    artifact = done.run(Outputs(), ExemplarParameters(), Wanted(("first",)))[0]
    assert "classifier" in encoding.from_json(artifact["predictions.json"])["needs"]


def test_other_numbers_of_classes_and_no_labels_say_what_they_need(tmp_path: Path) -> None:
    for classes, words in ((0, "labels"), (2, "as many classes")):
        probe = open_probe(str(write_pictures(tmp_path / str(classes), 6, classes=classes)))
        done = Build(opened(InPlace), probe)
        done.run(Measure(), MeasureParameters(), Wanted(("first",)))
        facts = encoding.from_json(done.run(Outputs(), ExemplarParameters(), Wanted(("first",)))[0]["predictions.json"])
        assert facts["accuracy"] is None
        assert words in facts["needs"]


@pytest.mark.parametrize(("y", "x"), [(16, 16), (3, 28), (28, 1), (10, 22)])
def test_the_patch_is_where_the_net_looks(y: int, x: int, tmp_path: Path) -> None:
    """A single bright pixel; a stack of strided averages answers to it; the patch must hold it."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 1, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(1, 1, 3, stride=2),
        torch.nn.ReLU(),
    )
    for parameter in net.parameters():
        parameter.data.fill_(0.1)
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[y, x] = 255
    Image.fromarray(pixels).save(tmp_path / "dot.png")
    model = assemble(net, InputSpec(3, 32, 32, crop=1.0), Origin("dots", sha256="1" * 64))
    done = Build(model, open_probe(str(tmp_path)))
    layers = tuple(layer.name for layer in model.card.layers)
    done.run(Measure(), MeasureParameters(), Wanted(layers))
    for artifact in done.run(Exemplars(), ExemplarParameters(), Wanted(layers)):
        table = encoding.from_parquet(artifact["exemplars.parquet"])
        row = table[table["kind"] == "top"].iloc[0]
        assert row["top"] <= y < row["bottom"]
        assert row["left"] <= x < row["right"]
        assert row["bottom"] - row["top"] == row["right"] - row["left"] <= 12
        assert 0 <= row["top"] < row["bottom"] <= 32


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 12])
def test_an_image_is_shown_in_the_colours_of_the_pictures_beside_it(channels: int) -> None:
    image = np.random.default_rng(0).random((channels, 6, 9)).astype(np.float32)
    shown = np.asarray(picture_of(image))
    np.testing.assert_array_equal(shown, in_three_colors(torch.from_numpy(image)))
    if channels == 12:
        np.testing.assert_allclose(shown[..., 0] / 255, image[:4].mean(axis=0), atol=1 / 255)


def test_one_image_alone(tmp_path: Path) -> None:
    done = Build(opened(Residual), open_probe(str(write_pictures(tmp_path, 1))))
    done.run(Measure(), MeasureParameters(), WANTED)
    table = encoding.from_parquet(done.run(Exemplars(), ExemplarParameters(), WANTED)[0]["exemplars.parquet"])
    assert (table["kind"] == "top").all()
    assert table["label"].isna().all()
    facts = encoding.from_json(done.run(Statistics(), NoParameters(), WANTED)[0]["layer.json"])
    assert facts["images"] == 1


def test_activations_that_are_not_numbers(probe: Probe) -> None:
    model = opened(Residual)
    model.module.stem.weight.data[2] = torch.nan
    done = Build(model, probe)
    done.run(Measure(), MeasureParameters(), WANTED)
    stem, deep = (
        encoding.from_parquet(each["statistics.parquet"]) for each in done.run(Statistics(), NoParameters(), WANTED)
    )
    assert (stem["nonfinite"] > 0).tolist() == [channel == 2 for channel in range(8)]
    assert (deep["nonfinite"] > 0).any()
    exemplars = encoding.from_parquet(done.run(Exemplars(), ExemplarParameters(), WANTED)[0]["exemplars.parquet"])
    assert set(exemplars["channel"]) == set(range(8)) - {2}
