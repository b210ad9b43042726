import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from analysis.jobs import owner
from analysis.jobs.owner import has_died, this_process

# what the kernel says of its boot is computed from the time of day: it moves when the clock is set
AFTER_A_STEP = """
import sys, psutil
from psutil import _pslinux
real = _pslinux.boot_time
_pslinux.boot_time = lambda: real() + float(sys.argv[2])
from analysis.jobs.owner import has_died
print(has_died(sys.argv[1]))
"""


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as started:
        yield started
        started.kill()


def name_of(pid: int, began: str) -> str:
    return f"{socket.gethostname()}/{pid}/{began}"


@pytest.mark.skipif(not owner.BOOT.exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("step", [-5, 3600])
def test_a_process_lives_on_when_the_clock_is_set(step: float) -> None:
    command = [sys.executable, "-c", AFTER_A_STEP, this_process(), str(step)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"


@pytest.mark.skipif(not owner.BOOT.exists(), reason="needs Linux's /proc")
def test_a_process_that_is_gone_or_only_waits_to_be_buried_has_died(child: subprocess.Popen[bytes]) -> None:
    began = owner._ticks(child.pid)
    assert began is not None
    living = name_of(child.pid, began)
    assert not has_died(living)
    assert has_died(f"{living}0"), "its number was given to another process"
    assert has_died(name_of(child.pid, f"another-boot:{began.partition(':')[2]}"))
    child.kill()
    until = time.monotonic() + 10
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.01)
    assert has_died(living)
    child.wait()
    assert has_died(living)


def test_without_proc_and_in_older_rows_seconds_say_when_a_process_began(monkeypatch: pytest.MonkeyPatch) -> None:
    began = psutil.Process().create_time()
    assert not has_died(name_of(os.getpid(), f"{began:.2f}"))
    assert has_died(name_of(os.getpid(), f"{began - 5:.2f}"))
    monkeypatch.setattr(owner, "_ticks", lambda pid: None)
    without_proc = this_process.__wrapped__()
    assert without_proc == name_of(os.getpid(), f"{began:.2f}")
    assert not has_died(without_proc)


def test_of_another_machine_nothing_is_known() -> None:
    assert not has_died(None)
    assert not has_died("elsewhere/1/0.00")
    assert not has_died("elsewhere/1/boot:5")
