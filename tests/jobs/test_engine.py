"""A whole build on real worker processes: a file and a folder go in, an atlas comes out."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from distributed import Client

from analysis.atlas.library import Library
from analysis.jobs import engine, worker
from analysis.jobs.cluster import cluster
from analysis.jobs.engine import Engine
from analysis.jobs.prepare import prepare
from analysis.jobs.request import BuildRequest
from analysis.jobs.table import Job, Jobs
from analysis.jobs.waves import KILLED
from analysis.models.open import open_model
from tests.tiny import tiny_images, tiny_onnx

QUICK = {"statistics": {}, "exemplars": {}, "images": {}, "features": {"steps": 4}}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with cluster(workers=2) as client:
        yield client


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_onnx(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def library(tmp_path: Path, model_file: Path) -> Library:
    library = Library(tmp_path / "my library – ü")
    library.add_model(open_model(model_file).card, model_file)
    return library


def run(library: Library, client: Client, images: Path, techniques: dict = QUICK, **request: object) -> Job:
    jobs = Jobs(library.database_url)
    (card,) = library.models()
    jobs.submit("build", {"model": card.id, "images": str(images), "techniques": techniques, **request})
    job = jobs.claim()
    assert job is not None
    return Engine(library, client).run(job)


def artifacts(library: Library) -> dict[str, bytes]:
    (atlas,) = library.atlases()
    files = [file for file in atlas.root.rglob("*") if file.is_file() and "builds" not in file.parts]
    return {str(file.relative_to(atlas.root)): file.read_bytes() for file in files if file.name != "atlas.json"}


def test_a_build_makes_every_table_of_every_layer_and_says_how_far_it_is(
    library: Library, client: Client, tmp_path: Path
) -> None:
    images = tiny_images(tmp_path / "images")
    (images / "even" / "broken.png").write_bytes(b"\x89PNG but broken")
    job = run(library, client, images)
    assert (job.state, job.error) == ("done", None)
    assert job.done == job.total > 0
    assert job.progress["layers_done"] == job.progress["layers"] == 2, "an output is no layer"
    assert job.progress["channels_done"] == job.progress["channels"] == 20
    atlas = library.atlas(job.result["atlas"])
    assert atlas.probe is not None
    assert atlas.probe.count == 20
    assert [Path(name).name for name, _reason in atlas.probe.skipped] == ["broken.png"]
    for layer in atlas.model.layers:
        for table in (atlas.statistics(layer.name), atlas.features(layer.name), atlas.exemplars(layer.name)):
            assert table is not None
            assert sorted(set(table["channel"])) == list(range(layer.out_channels))
    pictures = atlas.features(atlas.model.layers[0].name)
    assert pictures is not None
    for folder in set(pictures["folder"]):
        assert atlas.path(f"{folder}/sheet.webp").stat().st_size > 0


def test_building_again_computes_nothing_and_a_lost_part_is_made_again_the_same(
    library: Library, client: Client, tmp_path: Path
) -> None:
    images = tiny_images(tmp_path / "images")
    first = run(library, client, images)
    before = artifacts(library)
    (atlas,) = library.atlases()
    assert run(library, client, images).result == first.result == {"atlas": atlas.id}
    lost = next(iter((atlas.root / "features").glob("*/*")))
    kept = atlas.root / "statistics"
    times = {file: file.stat().st_mtime_ns for file in kept.rglob("*.parquet")}
    shutil.rmtree(lost)
    job = run(library, client, images)
    assert job.state == "done"
    assert artifacts(library) == before
    assert {file: file.stat().st_mtime_ns for file in kept.rglob("*.parquet")} == times
    assert len(atlas.builds()) == 1


def test_a_build_of_less_makes_less(library: Library, client: Client, tmp_path: Path) -> None:
    layer = library.models()[0].layers[1].name
    request = {"layers": [layer], "channels": [0, 1, 5]}
    job = run(
        library, client, tiny_images(tmp_path / "images"), {"features": {"steps": 2, "size": 16, "seed": 3}}, **request
    )
    assert job.state == "done"
    atlas = library.atlas(job.result["atlas"])
    table = atlas.features(layer)
    assert table is not None
    assert table["channel"].tolist() == [0, 1, 5]
    assert set(table["seed"]) == {3}
    assert atlas.features(library.models()[0].layers[0].name) is None
    assert atlas.statistics(layer) is None


@pytest.mark.parametrize(
    ("images", "techniques", "sentence"),
    [
        ("nowhere", QUICK, "nowhere"),
        (None, {"features": {"steps": 0}}, "steps = 0"),
        (None, {"dowsing": {}}, "no technique “dowsing”"),
    ],
)
def test_a_request_that_can_not_be_met_is_a_failed_job_with_a_sentence(
    library: Library, client: Client, tmp_path: Path, images: str | None, techniques: dict, sentence: str
) -> None:
    folder = tmp_path / images if images else tiny_images(tmp_path / "images")
    job = run(library, client, folder, techniques)
    assert job.state == "failed"
    assert job.error is not None
    assert sentence in job.error
    assert "Traceback" not in job.error


def test_a_cancelled_build_stops_and_goes_on_later_with_what_is_done(
    library: Library, client: Client, tmp_path: Path
) -> None:
    images = tiny_images(tmp_path / "images")
    jobs = Jobs(library.database_url)
    (card,) = library.models()
    request = {
        "model": card.id,
        "images": str(images),
        "techniques": {"statistics": {}, "features": {"steps": 2000, "patience": 1024}},
    }
    asked = jobs.submit("build", request)
    job = jobs.claim()
    assert job is not None

    def cancel_when_something_is_done() -> None:
        while jobs.get(asked.id).done < 2:
            time.sleep(0.1)
        jobs.cancel(asked.id)

    canceller = threading.Thread(target=cancel_when_something_is_done)
    canceller.start()
    job = Engine(library, client).run(job)
    canceller.join()
    assert job.state == "cancelled"
    done = artifacts(library)
    assert done
    assert run(library, client, images, {"statistics": {}}).state == "done"
    assert {name: artifacts(library)[name] for name in done} == done


def test_an_engine_that_is_told_to_end_lets_its_jobs_go_for_the_next_one(
    library: Library, client: Client, tmp_path: Path
) -> None:
    jobs, stop = Jobs(library.database_url), threading.Event()
    request = {
        "model": library.models()[0].id,
        "images": str(tiny_images(tmp_path / "images")),
        "techniques": {"features": {"steps": 4000, "patience": 1024, "retries": 0}},
    }
    job = jobs.submit("build", request)
    engine = threading.Thread(target=Engine(library, client).serve, args=(stop,), daemon=True)
    engine.start()
    while jobs.get(job.id).done < 1:
        time.sleep(0.1)
    stop.set()
    engine.join(20)
    assert not engine.is_alive(), "it waited for the build's end"
    assert (jobs.get(job.id).state, jobs.get(job.id).cancel) == ("running", False)
    next_one = Jobs(library.database_url, lost_after=timedelta(0))
    assert next_one.claim() is None  # it sees the heartbeat once before it can see that it stands still
    taken = next_one.claim()
    assert taken is not None
    assert taken.id == job.id


def test_the_log_says_where_the_end_of_a_job_could_not_be_written(
    library: Library, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()

    def broken(self: Engine, job: Job) -> Job:
        raise OSError("no table")

    monkeypatch.setattr(Engine, "run", broken)
    Jobs(library.database_url).submit("dream", {})
    engine = threading.Thread(target=Engine(library, client).serve, args=(stop,))
    engine.start()
    for _ in range(100):
        if "no table" in caplog.text:
            break
        time.sleep(0.1)
    stop.set()
    engine.join()
    assert "no table" in caplog.text


def test_a_worker_that_is_killed_costs_only_what_it_was_doing(library: Library, client: Client, tmp_path: Path) -> None:
    images = tiny_images(tmp_path / "images")
    killed: list[int] = []

    def kill_one(job: Job) -> None:
        if job.done >= 1 and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    jobs = Jobs(library.database_url)
    (card,) = library.models()
    jobs.submit("build", {"model": card.id, "images": str(images), "techniques": {"features": {"steps": 60}}})
    job = jobs.claim()
    assert job is not None
    job = Engine(library, client).run(job, kill_one)
    assert killed
    assert (job.state, job.error) == ("done", None)
    assert run(library, client, images, {"statistics": {}}).state == "done"


@pytest.mark.parametrize(("kills", "state", "error"), [(1, "done", None), (2, "failed", KILLED)])
def test_a_worker_that_is_killed_while_images_are_opened_is_tried_once_more(
    library: Library,
    client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kills: int,
    state: str,
    error: str | None,
) -> None:
    log = tmp_path / "planned"

    def deadly(library_root: str, request: BuildRequest) -> tuple[str, str]:
        with log.open("a") as tries:
            tries.write("x")
        if len(log.read_text()) <= kills:
            os.kill(os.getpid(), signal.SIGKILL)
        return prepare(library_root, request)

    monkeypatch.setattr(engine, "prepare", deadly)
    job = run(library, client, tiny_images(tmp_path / "images"), {"weights": {}})
    assert (job.state, job.error) == (state, error)
    assert len(log.read_text()) == 2


def test_a_task_that_opened_the_model_says_so(library: Library) -> None:
    worker.open_model_of.cache_clear()
    root, (card,) = str(library.root), library.models()
    atlas_id, plan = prepare(root, BuildRequest(model=card.id, techniques={"weights": {}}))
    first, second, *_ = library.atlas(atlas_id).planned(plan)
    found = [worker.run_task(root, atlas_id, each.to_json(), "job") for each in (first, second)]
    assert [(each.state, each.cold) for each in found] == [("done", True), ("done", False)]
