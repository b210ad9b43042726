"""Opening in a process of its own: the same cards, and the parent outlives whatever the file does."""

import pytest
import torch
from torch import nn

from analysis.models.errors import ModelError
from analysis.models.guard import inspect_guarded
from analysis.models.open import inspect_model

NEVER = """
import time
class Net:
    def __init__(self):
        time.sleep(600)
"""
GREEDY = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.kept = torch.zeros(2**34)
"""
CRASHES = """
import os
class Net:
    def __init__(self):
        os.abort()
"""
WRITES = """
class Net:
    def __init__(self):
        open({path!r}, "w").write("x" * 10)
"""


@pytest.fixture
def weights(tmp_path):
    torch.save(nn.Sequential(nn.Conv2d(3, 4, 3)).state_dict(), tmp_path / "net.pth")
    return tmp_path / "net.pth"


def with_class(folder, text):
    (folder / "net.py").write_text(text)
    return {"architecture": f"{folder}/net.py:Net", "trust": True}


def test_gives_the_card_that_opening_gives(weights):
    assert inspect_guarded(weights) == inspect_model(weights)


def test_gives_the_openers_own_sentence(tmp_path):
    with pytest.raises(ModelError, match="no file"):
        inspect_guarded(tmp_path / "none.pth")
    (tmp_path / "cut.pth").write_bytes(b"\x80\x02}q\x00")
    with pytest.raises(ModelError, match="cut short or damaged"):
        inspect_guarded(tmp_path / "cut.pth")


@pytest.mark.slow
def test_a_file_that_never_ends_is_stopped(weights, tmp_path):
    with pytest.raises(ModelError, match="not open after 15 seconds"):
        inspect_guarded(weights, seconds=15, **with_class(tmp_path, NEVER))


@pytest.mark.slow
def test_a_file_that_wants_all_memory_is_refused(weights, tmp_path):
    with pytest.raises(ModelError, match="memory"):
        inspect_guarded(weights, **with_class(tmp_path, GREEDY))


@pytest.mark.slow
def test_a_file_that_kills_its_process_is_refused(weights, tmp_path):
    with pytest.raises(ModelError, match="broke the process"):
        inspect_guarded(weights, **with_class(tmp_path, CRASHES))


@pytest.mark.slow
def test_nothing_can_be_written(weights, tmp_path):
    with pytest.raises(ModelError):
        inspect_guarded(weights, **with_class(tmp_path, WRITES.format(path=str(tmp_path / "written"))))
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_bytes()
