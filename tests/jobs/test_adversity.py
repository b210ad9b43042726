"""Whole builds where the disk is full or can not be written, the scheduler goes away, another engine is at work."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from distributed import Client

from analysis.atlas.library import Library
from analysis.atlas.verify import verify
from analysis.errors import StrataError
from analysis.jobs import ledger
from analysis.jobs.cluster import cluster
from analysis.jobs.engine import Engine
from analysis.jobs.table import Job, Jobs
from analysis.models.open import open_model
from tests.atlas.places import s3_server
from tests.tiny import tiny_images, tiny_onnx

pytestmark = pytest.mark.slow
PICTURES = {"features": {"steps": 4}}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with cluster(workers=2) as client:
        yield client


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_onnx(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_images(tmp_path_factory.mktemp("images"))


def stocked(library: Library, model_file: Path) -> Library:
    library.add_model(open_model(model_file).card, model_file)
    return library


def ask(library: Library, images: Path, techniques: dict = PICTURES, **more: object) -> Job:
    (card,) = library.models()
    jobs = Jobs(library.database_url)
    request = {"model": card.id, "images": str(images), "techniques": techniques, **more}
    job = jobs.claim(jobs.submit("build", request).id)
    assert job is not None
    return job


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A file system of that size at `folder`; gives what mounts it again with other options."""
    folder.mkdir()

    def mount(options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True, capture_output=True)

    try:
        mount(f"size={size}")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small disk")
    try:
        yield lambda options: mount(f"remount,{options}")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(filler: Path, atlases: Path) -> None:
    """Writes until the disk of `filler` is full, as soon as one of `atlases` holds a table."""
    deadline = time.monotonic() + 60
    while not any(name.endswith(".parquet") for _, _, names in os.walk(atlases) for name in names):
        assert time.monotonic() < deadline, "the build wrote no table"
        time.sleep(0.01)
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


@contextmanager
def read_only(folder: Path, seen: Path) -> Iterator[Path]:
    """The same folder at `seen`, where nobody may write."""
    seen.mkdir()
    try:
        subprocess.run(["mount", "-o", "bind,ro", str(folder), str(seen)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a folder read-only")
    try:
        yield seen
    finally:
        subprocess.run(["umount", "-l", str(seen)], check=True)


def test_a_full_disk_ends_the_build_with_a_sentence_and_nothing_is_lost(
    client: Client, model_file: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "PATIENCE", 2)
    with small_disk(tmp_path / "disk", "2m") as remount:
        library = stocked(Library(tmp_path / "disk" / "library"), model_file)
        job = ask(library, images)
        filler = tmp_path / "disk" / "filler"
        with ThreadPoolExecutor(1) as pool:  # the disk fills up in the middle of the build, not before it
            filled = pool.submit(fill_up, filler, library.root / "atlases")
            job = Engine(library, client).run(job)
            filled.result(timeout=60)
        assert job.state == "failed"
        assert job.error is not None
        assert "is full. Free some space" in job.error or "disk is full" in job.error
        remount("size=200m")
        filler.unlink()
        jobs = Jobs(library.database_url)
        if not jobs.get(job.id).ended:
            jobs.finish(job.id, "failed")
        job = Engine(library, client).run(ask(library, images))
        assert (job.state, job.error) == ("done", None)
        assert list(verify(library, library.atlas(job.result["atlas"]))) == []


def test_a_library_that_can_not_be_written_is_read_and_says_so(
    client: Client, model_file: Path, images: Path, tmp_path: Path
) -> None:
    library = stocked(Library(tmp_path / "library"), model_file)
    job = Engine(library, client).run(ask(library, images))
    assert job.state == "done"
    with read_only(library.root, tmp_path / "seen") as seen:
        fresh = Library(seen)
        (atlas,) = fresh.atlases()
        assert atlas.features(atlas.model.layers[0].name) is not None
        assert list(verify(fresh, atlas)) == []
        with pytest.raises(StrataError, match="can not be written"):
            fresh.add_model(atlas.model, model_file)
        with pytest.raises(StrataError, match="can not be reached"):
            Jobs(fresh.database_url).submit("build", {})


def test_two_engines_at_work_on_one_atlas_leave_it_whole(
    client: Client, model_file: Path, images: Path, tmp_path: Path
) -> None:
    library = stocked(Library(tmp_path / "library"), model_file)
    layers = [layer.name for layer in library.models()[0].layers]
    jobs = [ask(library, images), ask(library, images, layers=layers)]  # the same tasks by two requests
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda job: Engine(library, client).run(job), jobs))
    assert [job.state for job in ended] == ["done", "done"]
    (atlas,) = library.atlases()
    assert list(verify(library, atlas)) == []


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen]:
    started = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(30)


def scheduler_on(port: int) -> tuple[str, ...]:
    code = "from distributed.cli.dask_scheduler import main; main()"
    return ("-c", code, "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")


def test_a_build_far_from_here_outlives_its_scheduler(
    model_file: Path, images: Path, tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library in S3, the table in PostgreSQL, two workers that joined a scheduler that dies and comes back."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack:
        library = stocked(Library(f"{stack.enter_context(s3_server())}/my library – ü", postgres), model_file)
        first = stack.enter_context(process(*scheduler_on(port)))
        stack.enter_context(process("-m", "analysis.cli", "worker", address, "--workers", "2", "--memory", "2GiB"))
        time.sleep(3)
        client = stack.enter_context(cluster(scheduler=address))
        engine = Engine(library, client)
        job = ask(library, images, {"statistics": {}, "features": {"steps": 16}})
        killed = False

        def watch(row: Job) -> None:
            nonlocal killed
            if row.done >= 2 and not killed:
                killed = True
                first.kill()
                first.wait()
            if "does not answer" in row.note and not second:
                second.append(stack.enter_context(process(*scheduler_on(port))))

        second: list[subprocess.Popen] = []
        job = engine.run(job, watch)
        assert (job.state, job.error) == ("done", None)
        assert killed
        assert second
        assert list(verify(library, library.atlas(job.result["atlas"]))) == []
        assert os.listdir(tmp_path / "cache" / "strata") == [library.models()[0].id]
