"""`strata worker` where there is no scheduler."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from analysis.errors import StrataError
from analysis.jobs import joining

NO_WAIT = "from analysis.jobs import joining; joining.AGAIN = 0.01; from analysis.cli import main; main()"


def test_a_scheduler_that_does_not_answer_is_waited_for_with_one_sentence() -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-c", NO_WAIT, "worker", address, "--workers", "1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            first = worker.stdout.readline()
            assert first == f"No scheduler answers at {address}; trying it again until one does\n"
            with pytest.raises(subprocess.TimeoutExpired):
                worker.wait(1)
            worker.terminate()
            assert worker.communicate() == ("", "")
            assert worker.returncode == 0


@pytest.mark.parametrize("address", ["nonsense", "nonsense://there:8786"])
def test_what_is_no_address_is_a_sentence(address: str) -> None:
    with pytest.raises(StrataError, match=r"is no address of a scheduler\. Write tcp://host:8786"):
        joining._answers(address)


def test_who_listens_answers() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert joining._answers(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
