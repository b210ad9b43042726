"""Thousands of mutated real files: each gives a card or a sentence. No traceback, no hang, no code run, no file.

Each case is opened in a forked child with a limit on memory, time and writing, as analysis/models/guard.py opens files,
without the seconds that a new interpreter needs.
"""

import os
import random
import resource
import signal
import traceback
import warnings
import zipfile

import pytest
import torch
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


def mutated(content, chance):
    """A few bytes flipped, cut, doubled or set, near the beginning more often than not: there lies the structure."""
    content = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        span = len(content) if chance.random() < 0.4 else min(len(content), 2000)
        at = chance.randrange(span) if chance.random() < 0.8 else len(content) - 1 - chance.randrange(min(span, 2000))
        kind = chance.choice(["flip", "set", "cut", "double", "number"])
        if kind == "flip":
            content[at] ^= 1 << chance.randrange(8)
        elif kind == "set":
            content[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, 0x2E, 0x28, 0x52, 0x63])
        elif kind == "cut":
            del content[at : at + chance.randint(1, 300)]
        elif kind == "double":
            content[at:at] = content[at : at + chance.randint(1, 60)]
        else:
            content[at : at + 4] = chance.choice([2**31 - 1, 2**32 - 1, 2**20]).to_bytes(4, "little")
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


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(folder / "script.pt"))
        torch.export.save(torch.export.export(net, (torch.rand(1, 3, 32, 32),)), folder / "net.pt2")
    made = [(folder / name).read_bytes() for name in ("script.pt", "net.pt2")]
    return [shared_file(f"models/{name}").read_bytes() for name in FILES] + made


def run(originals, folder, seeds):
    """seed → how it ended, for those that ended badly."""
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    bad = {}
    for seed in seeds:
        chance = random.Random(seed)
        path = folder / "mutated"
        content = mutated(chance.choice(originals), chance)
        path.write_bytes(rezipped(content) if chance.random() < 0.5 else content)
        reader, writer = os.pipe()
        code = opened_in_a_child(path, writer)
        os.close(writer)
        said = os.read(reader, 4000).decode()
        os.close(reader)
        if code not in {CARD, SENTENCE} and code != -signal.SIGXFSZ:
            bad[seed] = said or f"ended by {code}"
        path.unlink()
    assert list(folder.iterdir()) == []
    return bad


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


def test_a_few_mutated_real_files(originals, tmp_path):
    assert run(originals, tmp_path / "work", range(40)) == {}


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_many_mutated_real_files(originals, tmp_path):
    assert run(originals, tmp_path / "work", range(1000, 1000 + int(os.environ.get("STRATA_FUZZ", "600")))) == {}
