"""A worker's net runs on a GPU only where there is one, and only where it answers there as here. No GPU is needed to
test that: `meta`, a device that computes nothing, stands for one that can not be used."""

import sys
from pathlib import Path

import pytest
import torch

from analysis.errors import StrataError
from analysis.heap import ALLOWED
from analysis.jobs import device
from analysis.jobs.cluster import memory_of
from tests.features.nets import model_of, small_net


def test_where_no_driver_is_no_gpu_is_looked_for(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert device.gpus() == 0
    assert device.own_gpu() is None


def test_workers_share_the_gpus_out(monkeypatch):
    monkeypatch.setattr(device, "gpus", lambda: 2)
    for number, wanted in enumerate(("cuda:0", "cuda:1", "cuda:0")):
        monkeypatch.setattr(device, "_number", lambda number=number: number)
        assert str(device.own_gpu()) == wanted


def test_a_person_can_leave_gpus_alone(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert device.gpus() == 3
    monkeypatch.setenv(device.DEVICE, "cpu")
    assert device.gpus() == 0


def test_a_model_that_can_not_go_there_stays(caplog):
    model = model_of(small_net())
    assert device.moved(model, torch.device("meta")) is model
    assert "is run on the processor, not on meta" in caplog.text
    assert model.device == torch.device("cpu")


def test_a_model_that_goes_is_a_copy_that_answers_alike():
    model = model_of(small_net())
    there = device.moved(model, torch.device("cpu"))
    assert there is not model
    assert there.module is not model.module
    images = torch.rand(2, 3, 48, 48)
    assert torch.equal(there(images), model(images))


def test_memory_is_told_in_bytes_or_refused():
    assert memory_of("2GiB") == {ALLOWED: str(2 * 2**30)}
    assert memory_of(None) == {}
    with pytest.raises(StrataError, match="no amount of memory"):
        memory_of("much")


def test_looking_for_gpus_loads_no_torch():
    # the engine starts without it
    import subprocess

    code = "import sys; from analysis.jobs.device import gpus; gpus(); sys.exit('torch' in sys.modules)"
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has a GPU, which torch is asked about")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
