"""Thousands of mutated real files: each gives a card or a sentence. No traceback, no hang, no code run, no file.

Each case is opened in a forked child with a limit on memory, time and writing, as analysis/models/guard.py opens files,
without the seconds that a new interpreter needs.
"""

import os
import resource
import signal
import traceback
import warnings
import zipfile

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from analysis.models.errors import ModelError
from analysis.models.open import inspect_model
from tests.shared import shared_file

FILES = [
    "windows-machine-learning/mnist.onnx",
    "windows-machine-learning/ImageClassifier.onnx",
    "windows-machine-learning/myFirstModel.pth",
    "mtcnn/pnet.pt",
    "lenet/mnist_cnn.pt",
    "cifar-resnet/resnet20-12fca82f.th",
    "vdsr/model_epoch_50.pth",
    "not-a-model/image_classification_ppresnet50_2022jan.onnx",
]
CARD, SENTENCE, TRACEBACK = 0, 3, 4
SECONDS = 120
CHOSEN = os.environ.get("STRATA_FUZZ")
MANY = int(CHOSEN or "2000")
"""Cases of the long run: the same each time, or as many others as are asked for."""


KINDS = ("flip", "set", "cut", "double", "number")
SPECIAL = (0, 1, 0x7F, 0x80, 0xFF, 0x2E, 0x28, 0x52, 0x63)
LARGE = (2**31 - 1, 2**32 - 1, 2**20)
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from(["anywhere", "beginning", "end"]),  # the structure lies at both ends
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=8,
)


def mutated(content, mutations):
    """A few bytes flipped, set, cut, doubled or made a large number."""
    content = bytearray(content)
    for kind, where, place, value in mutations:
        at = int(place * (len(content) if where == "anywhere" else min(len(content), 2000)))
        at = len(content) - 1 - at if where == "end" else at
        if kind == "flip":
            content[at] ^= 1 << value % 8
        elif kind == "set":
            content[at] = SPECIAL[value % len(SPECIAL)]
        elif kind == "cut":
            del content[at : at + 1 + value]
        elif kind == "double":
            content[at:at] = content[at : at + 1 + value // 4]
        else:
            content[at : at + 4] = LARGE[value % len(LARGE)].to_bytes(4, "little")
        if len(content) < 16:
            break
    return bytes(content)


def opened_in_a_child(path, log):
    """How opening ended: one of the codes above, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = TRACEBACK
        try:
            signal.alarm(SECONDS)
            resource.setrlimit(resource.RLIMIT_AS, (10 * 2**30, 10 * 2**30))
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            warnings.simplefilter("ignore")
            inspect_model(path)
            code = CARD
        except (ModelError, MemoryError):
            code = SENTENCE
        except BaseException:  # what a person would see as a traceback
            os.write(log, traceback.format_exc()[-3000:].encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


class Originals(list):
    """Whose content no report needs."""

    def __repr__(self):
        return f"{len(self)} files"


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(folder / "script.pt"))
        torch.export.save(torch.export.export(net, (torch.rand(1, 3, 32, 32),)), folder / "net.pt2")
    made = [(folder / name).read_bytes() for name in ("script.pt", "net.pt2")]
    return Originals([shared_file(f"models/{name}").read_bytes() for name in FILES] + made)


def check(original, folder, mutations, zipped):
    """Open a mutated file: it ends in a card or a sentence, and leaves no other file behind."""
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    path = folder / "mutated"
    content = mutated(original, mutations)
    path.write_bytes(rezipped(content) if zipped else content)
    reader, writer = os.pipe()
    code = opened_in_a_child(path, writer)
    os.close(writer)
    said = os.read(reader, 4000).decode()
    os.close(reader)
    path.unlink()
    assert code in {CARD, SENTENCE, -signal.SIGXFSZ}, said or f"ended by {code}"
    assert list(folder.iterdir()) == []


def rezipped(content):
    """With checksums put right again, so that damage inside of a zip gets past them."""
    import io

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as fixed:
                for record in archive.infolist():
                    record.CRC = None
                    with archive.open(record) as file:
                        file._expected_crc = None
                        fixed.writestr(record.filename, file.read())
            return buffer.getvalue()
    except Exception:
        return content


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(which=st.integers(0, 255), mutations=MUTATIONS, zipped=st.booleans())
def test_a_few_mutated_real_files(originals, tmp_path, which, mutations, zipped):
    check(originals[which % len(originals)], tmp_path / "work", mutations, zipped)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@settings(max_examples=MANY, deadline=None, derandomize=not CHOSEN, suppress_health_check=list(HealthCheck))
@given(which=st.integers(0, 255), mutations=MUTATIONS, zipped=st.booleans())
def test_many_mutated_real_files(originals, tmp_path, which, mutations, zipped):
    check(originals[which % len(originals)], tmp_path / "work", mutations, zipped)
