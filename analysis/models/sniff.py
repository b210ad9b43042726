"""What kind of file is this? By its first bytes; names and endings lie too often."""

from __future__ import annotations

import enum
import zipfile
from pathlib import Path

from analysis.models.errors import ModelError


class Format(enum.Enum):
    CHECKPOINT = "checkpoint"
    SAFETENSORS = "safetensors"
    ONNX = "onnx"
    TORCHSCRIPT = "torchscript"
    EXPORTED = "torch.export"


_STRANGERS = (
    (b"\x89HDF\r\n\x1a\n", 0, "a Keras or HDF5 file", "Convert it to ONNX with tf2onnx"),
    (b"TFL3", 4, "a TensorFlow Lite file", "Convert it to ONNX with tf2onnx --tflite"),
    (b"GGUF", 0, "a GGUF language model", "Strata opens convnets"),
    (b"\x93NUMPY", 0, "a NumPy array", "Give the file that holds the trained model"),
    (b"\x1f\x8b", 0, "a gzip archive", "Unpack it first"),
    (b"7z\xbc\xaf", 0, "a 7-zip archive", "Unpack it first"),
    (b"Rar!", 0, "a RAR archive", "Unpack it first"),
    (b"\x89PNG", 0, "a picture", "Give the file that holds the trained model"),
    (b"\xff\xd8\xff", 0, "a picture", "Give the file that holds the trained model"),
    (b"%PDF", 0, "a PDF", "Give the file that holds the trained model"),
)


def sniff(path: Path) -> Format:
    """The format of a model file. Raises ModelError, saying what it is and what to do, for anything else."""
    if not path.exists():
        raise ModelError(f"There is no file {path}. Check the path.")
    if path.is_dir():
        raise ModelError(f"{path} is a folder. Give the one file in it that holds the trained model.")
    if not path.is_file():
        raise ModelError(f"{path} is no ordinary file. Give the file that holds the trained model.")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise ModelError(f"{path} can not be read: {error.strerror}. Check its permissions.") from error
    if not size:
        raise ModelError(f"{path.name} is empty. Copy or download it again.")
    return _by_content(path, head, size)


def _by_content(path: Path, head: bytes, size: int) -> Format:
    if head.startswith(b"version https://git-lfs"):
        raise ModelError(
            f"{path.name} is a Git-LFS pointer, not the model itself. "
            "Run `git lfs pull` in the repository it came from."
        )
    for mark, at, what, cure in _STRANGERS:
        if head[at : at + len(mark)] == mark:
            raise ModelError(f"{path.name} is {what}, not a model that Strata opens. {cure}.")
    if head.startswith(b"PK"):
        return _by_members(path)
    if head[:1] == b"\x80" and head[1] in range(2, 6):
        return Format.CHECKPOINT
    if int.from_bytes(head[:8], "little") <= size - 8 and head[8:9] == b"{":
        return Format.SAFETENSORS
    if _is_text(head):
        raise ModelError(f"{path.name} is a text file, not a model. Give the file that holds the trained weights.")
    if head[:1] in {b"\x08", b"\x0a", b"\x12", b"\x3a", b"\x42"}:
        return Format.ONNX
    raise ModelError(
        f"{path.name} is in no format that Strata knows. "
        "It opens PyTorch checkpoints, safetensors, ONNX, torch.export and TorchScript files."
    )


def _by_members(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ModelError(
            f"{path.name} is cut short or damaged: its list of contents can not be read. Copy or download it again."
        ) from error
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        return Format.TORCHSCRIPT
    if "archive_format" in inner or "serialized_exported_program.json" in names or "models/model.json" in inner:
        return Format.EXPORTED
    if "data.pkl" in inner:
        return Format.CHECKPOINT
    if {"config.json", "model.weights.h5"} <= set(names):
        raise ModelError(f"{path.name} is a Keras file. Convert it to ONNX with tf2onnx.")
    raise ModelError(f"{path.name} is a zip archive without a model of PyTorch in it. Unpack it and give the model.")


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\r\n\t\f" for letter in text)
