"""`strata serve` as a process: it answers, it does jobs, it ends whole; a second start goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analysis import serving as serving_module
from analysis.atlas.library import Library
from analysis.jobs.cluster import Hands
from analysis.jobs.table import Jobs
from analysis.models.open import open_model
from analysis.serving import link
from tests.tiny import tiny_images, tiny_onnx

pytestmark = pytest.mark.slow


def free_port(address: str = "localhost") -> int:
    with socket.socket() as listener:
        listener.bind((address, 0))
        return int(listener.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


@contextmanager
def serving(library: Path, port: int, log: Path, address: str = "localhost") -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable,
        "-m",
        "analysis.cli",
        "serve",
        "--library",
        str(library),
        "--port",
        str(port),
        "--address",
        address,
        "--workers",
        "1",
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            wait_for(lambda: process.poll() is not None or f"Strata is at http://{address}:{port}" in log.read_text())
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def answers(port: int, address: str = "localhost") -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/_stcore/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def test_a_job_outlives_its_server_and_nothing_is_left_behind(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    file = tiny_onnx(tmp_path / "tiny.onnx")
    card = open_model(file).card
    library.add_model(card, file)
    jobs = Jobs(library.database_url)
    request = {
        "model": card.id,
        "images": str(tiny_images(tmp_path / "images")),
        "techniques": {"features": {"steps": 300}},
    }
    job = jobs.submit("build", request)
    port = free_port()
    log = tmp_path / "log"

    with serving(library.root, port, log) as server:
        assert answers(port)
        wait_for(lambda: jobs.get(job.id).done >= 1)
        os.killpg(server.pid, signal.SIGKILL)  # power cut: nobody gets to say good-bye
        server.wait()
    assert jobs.get(job.id).state == "running"

    with serving(library.root, port, log) as server:
        # the new engine takes the job up once the old one's heartbeat is long enough ago
        wait_for(lambda: jobs.get(job.id).ended, 180)
        assert (jobs.get(job.id).state, jobs.get(job.id).error) == ("done", None)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
    assert not answers(port)
    assert "Traceback" not in log.read_text()


def test_it_is_asked_and_announced_where_it_listens(tmp_path: Path) -> None:
    address = "127.0.0.2"  # one interface, which localhost is not
    port = free_port(address)
    with serving(tmp_path / "library", port, tmp_path / "log", address):
        assert answers(port, address)
        assert not answers(port)
    told = [link(each, 80) for each in ("0.0.0.0", "::", "localhost", "10.0.0.7", "fe80::1")]
    assert told == [f"http://{each}:80" for each in ("localhost", "localhost", "localhost", "10.0.0.7", "[fe80::1]")]


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "analysis.cli", "serve", "--library", str(tmp_path), "--port", port]
        told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 2
    assert "--port" in told.stderr


def test_the_dashboard_is_told_how_many_workers_there_are(tmp_path: Path) -> None:
    library = Library(tmp_path)
    assert serving_module._told(library, Hands(1), {})["STRATA_WORKERS"] == "1"
    assert "STRATA_WORKERS" not in serving_module._told(library, Hands(), {})
