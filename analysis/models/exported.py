"""torch.export's `.pt2`: checked before it is loaded, since loading one can run code; then run node by node.

torch.export.load resolves operators by walking attributes from `torch`, evaluates size expressions with sympy, and
falls back to full unpickling for sample inputs; trees of arguments import what they name. So every name in the graph
and every pickle beside it is looked at first, against what real exports hold, and torch reads only what was looked at.
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from analysis.models.archive import records_of, zipped
from analysis.models.checkpoint import damaged
from analysis.models.errors import ModelError, OnlyWeights
from analysis.models.known_input import plain_input
from analysis.models.opened import Opened
from analysis.models.weights_only import conv_layers, stem_channels

_KNOWN = re.compile(
    r"[^/]+/(archive_format|archive_version|byteorder|version|\.format_version|\.storage_alignment|\.data/\w+"
    r"|models/[^/]+\.json|data/sample_inputs/[^/]+\.pt|data/weights/(weight_\d+|[^/]+_weights_config\.json|[^/]+\.pt)"
    r"|data/constants/(tensor_\d+|[^/]+_constants_config\.json|[^/]+\.pt))"
    # as torch 2.7 and older wrote it
    r"|version|serialized_(exported_program\.json|(state_dict|constants)\.(pt|json)|example_inputs\.pt)"
)
_JSON = re.compile(r"[^/]+/.*\.json|serialized_exported_program\.json")
_PICKLE = re.compile(r".*\.pt|serialized_(state_dict|constants)\.json")
_FOREIGN = re.compile(r"(?i).*(custom_obj|opaque_obj|data/aotinductor/|data/executorch/|\.(so|cpp|py|dll|cubin)$).*")
_PAYLOAD = re.compile(r"(weight|tensor)_\d+")
_ARITHMETIC = (
    "getitem|add|sub|mul|matmul|truediv|floordiv|mod|pow|neg|pos|abs|eq|ne|lt|le|gt|ge|and_|or_|xor|not_|invert"
    "|lshift|rshift"
)
_TARGET = re.compile(
    r"torch\.ops\.(aten|prims|torchvision)\.(?!save\b|from_file\b)\w+(\.\w+)?"
    r"|torch\.ops\.higher_order\.(cond|wrap_with_set_grad_enabled|wrap_with_autocast)"
    rf"|_operator\.({_ARITHMETIC})|math\.(floor|ceil|trunc|sqrt|log2?|exp|pow)"
)
_SYMBOLIC = re.compile(r"torch\.sym_\w+|torch\._sym_\w+")
_TREES = frozenset({None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"})
_HARMLESS = frozenset(
    (
        *("Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Max", "Min", "Mod", "PythonMod", "FloorDiv"),
        *(
            "CeilDiv",
            "CleanDiv",
            "IntTrueDiv",
            "Where",
            "Piecewise",
            "ModularIndexing",
            "Abs",
            "Identity",
            "RoundToInt",
        ),
        *("Eq", "Ne", "Ge", "Gt", "Le", "Lt", "And", "Or", "Not", "StrictGreaterThan", "StrictLessThan", "Equality"),
        *("GreaterThan", "LessThan", "Unequality", "TruncToInt", "ToFloat", "floor", "ceiling", "int", "oo", "int_oo"),
        *("true", "false", "True", "False", "positive", "integer", "nonnegative", "negative"),
    )
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_VARIABLE = re.compile(r"[suz]+f?\d+")


class Exported(nn.Module):
    """An exported program as a module that goes to eval mode like any other.

    The graph is kept out of the list of submodules: it refuses `.eval()`, which torch calls on all of them.
    """

    def __init__(self, graph: nn.Module) -> None:
        super().__init__()
        self.__dict__["graph"] = graph

    def forward(self, images: torch.Tensor) -> Any:
        return self.__dict__["graph"].forward(images)  # not a call: hooks would hold it to the size of its example


def open_exported(path: Path) -> Opened:
    """A torch.export program. Raises ModelError for damage, for code in disguise, and for anything but one image in."""
    records = records_of(path, _KNOWN)
    check_program(path, records)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(zipped(records))
            graph = program.module(check_guards=False)
    except Exception as error:  # the reader's errors have no class of their own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(
            f"{path.name} can not be read as a torch.export file ({reason}). Export it again with this torch."
        ) from error
    _to_eval(graph)
    for tensor in graph.parameters():
        tensor.requires_grad_(False)
    named = [*graph.named_parameters(), *graph.named_buffers()]
    state = {key: value for key, value in named if isinstance(value, torch.Tensor)}
    height, width, channels, sized = _size(program, path, state)
    spec = plain_input(channels, height, sized)
    return Opened(
        module=Exported(graph),
        spec=type(spec)(**{**vars(spec), "width": width}),
        format="torch.export",
        evidence="A torch.export program, run operator by operator.",
        names={value.data_ptr(): key.removesuffix(".weight") for key, value in reversed(list(state.items()))},
    )


def _none(path: Path) -> Any:
    raise ModelError(f"{path.name} holds no convolution. Strata shows what convolutions learned: open a convnet.")


def _size(program: Any, path: Path, state: Mapping[str, torch.Tensor]) -> tuple[int, int, int, str]:
    wanted = set(program.graph_signature.user_inputs)
    inputs = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in wanted]
    shape = inputs[0].meta["val"].shape if len(inputs) == 1 and "val" in inputs[0].meta else ()
    layers = conv_layers(state) or _none(path)
    if len(shape) != 4:
        raise OnlyWeights(
            f"{path.name} does not take one image [batch, channels, height, width]. Export the image's net alone. "
            "Its layers and weights are listed all the same.",
            state,
            "torch.export",
        )
    sides = [side if isinstance(side, int) else None for side in shape]
    source = "from the exported program" if sides[2] and sides[3] else "assumed: the program takes any size"
    return sides[2] or 224, sides[3] or 224, sides[1] or stem_channels(layers), source


def _to_eval(graph: Any) -> None:
    """A program that was exported in training mode keeps the mode in its batch norms and dropouts."""
    flags = {"aten.batch_norm.default": 5, "aten.dropout.default": 2, "aten.dropout_.default": 2}
    for node in graph.graph.nodes:
        place = flags.get(str(node.target))
        if place == flags["aten.batch_norm.default"] and node.args[3] is None:
            continue  # without running statistics: weights that are standardised
        if place is not None and len(node.args) > place and node.args[place] is True:
            node.args = (*node.args[:place], False, *node.args[place + 1 :])
    graph.recompile()


def check_program(path: Path, records: Mapping[str, bytes]) -> None:
    """Nothing in these records makes torch.export.load run code. Raises ModelError, naming what would."""
    with zipfile.ZipFile(path) as archive:
        foreign = next(filter(_FOREIGN.fullmatch, archive.namelist()), None)
    if foreign is not None:
        what = "compiled code" if "_obj" not in foreign else "objects of its own"
        raise _dangerous(path, f"{what} ({foreign.rpartition('/')[2]})")
    for name, content in records.items():
        if _PICKLE.fullmatch(name):
            _check_pickle(content, path)
        elif _JSON.fullmatch(name):
            _check_json(content, path)


def _check_json(content: bytes, path: Path) -> None:
    for key, value in _pairs(_parsed(content, path)):
        if key in {"target", "as_operator"} and not _is_operator(value):
            raise _dangerous(path, f"the name {value}, which is no operator of torch")
        if key == "expr_str":
            _check_expression(str(value), path)
        if key == "use_pickle" and value is True:
            raise _dangerous(path, "pickled weights")
        if key == "path_name" and not _PAYLOAD.fullmatch(str(value)):
            raise _dangerous(path, f"weights of another kind ({value})")
        if key == "custom_obj_values" and value:
            raise _dangerous(path, "objects of its own")
        if key in {"in_spec", "out_spec"}:
            _check_tree(value, path)


def _parsed(text: bytes | str, path: Path) -> Any:
    try:
        return json.loads(text.decode() if isinstance(text, bytes) else text)  # as torch decodes it
    except (ValueError, RecursionError) as error:
        raise damaged(path) from error


def _is_operator(value: Any) -> bool:
    return not isinstance(value, str) or bool(_TARGET.fullmatch(value) or _SYMBOLIC.fullmatch(value))


def _check_expression(text: str, path: Path) -> None:
    """A size, which sympy evaluates as Python: plain words alone. Letters of other scripts can spell any name."""
    strange = [word for word in _WORD.findall(text) if word not in _HARMLESS and not _VARIABLE.fullmatch(word)]
    if strange or "__" in text or not text.isascii() or len(text) > 100_000:
        raise _dangerous(path, f"a size expression with “{(strange or [text[:40]])[0]}” in it")


def _check_tree(text: Any, path: Path) -> None:
    """How arguments nest: tuples, lists and dictionaries of plain keys. Other types are imported by their names."""
    for key, value in _pairs(_parsed(str(text), path) if text else None):
        if key == "type" and value not in _TREES:
            raise _dangerous(path, f"arguments of the type {value}")
        keys = _parsed(value, path) if key == "context" and isinstance(value, str) else value
        if key == "context" and not (
            keys is None or (isinstance(keys, list) and all(isinstance(each, str | int) for each in keys))
        ):
            raise _dangerous(path, "arguments with keys of their own kind")


def _pairs(facts: Any) -> Iterator[tuple[str, Any]]:
    waiting = [facts]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value.items()
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _check_pickle(content: bytes, path: Path) -> None:
    if not content:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever it is, torch.export.load would fall back to running it
        raise _dangerous(path, "a pickle that is more than tensors") from error


def _dangerous(path: Path, what: str) -> ModelError:
    return ModelError(
        f"{path.name} holds {what}; loading it could run code. "
        "Export the model again with torch.export.save, or get it from a source that you trust."
    )
