"""Which nets open in which format, how far their outputs are from the original's, and how long it takes.

`python -m benchmarks.loading` writes docs/loading.md. Every net gets weights that keep its numbers alive (fan-in
scaled, batch norms measured on noise), so that a difference would show; it is saved, opened from the file alone, and
compared with the original on the same image. One process, one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from analysis.models import zoo
from analysis.models.architectures import index
from analysis.models.known_input import known_input
from analysis.models.onnx_compare import output_tensors
from analysis.models.open import open_model

FORMATS = ("state dict", "onnx old", "onnx new", "pt2", "torchscript")
SMALL = 160
"""Nets that take any size are tried at this one: the difference does not depend on it, the time does."""


@dataclass(frozen=True)
class Result:
    """One net in one format. difference: largest, in standard deviations of the original's output; None: not opened."""

    zoo: str
    net: str
    format: str
    seconds: float
    difference: float | None = None
    one_by_one: bool = False
    reason: str = ""


def lively(module: nn.Module, image: torch.Tensor) -> nn.Module:
    """Weights and batch norm statistics under which a random net's outputs vary with the image."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in module.named_parameters():
        if parameter.dim() > 1:
            fan = parameter[0].numel()
            parameter.data.normal_(0, (2 / fan) ** 0.5, generator=generator)
        elif name.endswith("weight") or "gamma" in name or "scale" in name:
            parameter.data.uniform_(0.5, 1.5, generator=generator)
        else:
            parameter.data.normal_(0, 0.1, generator=generator)
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
        norm.train()
    if norms:
        with torch.no_grad():
            module(torch.cat([image, image.flip(3)]))
    return module.eval()


def export(module: nn.Module, image: torch.Tensor, kind: str, path: Path) -> None:
    """Save the net as a person would, in one format."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "state dict":
            torch.save(module.state_dict(), path)
        elif kind == "onnx old":
            torch.onnx.export(module, (image,), str(path), opset_version=17, dynamo=False)
        elif kind == "onnx new":
            torch.onnx.export(module, (image,), str(path), dynamo=True, external_data=False, verbose=False)
        elif kind == "pt2":
            torch.export.save(torch.export.export(module, (image,)), path)
        else:
            torch.jit.trace(module, image, check_trace=False).save(str(path))


def measure(net: tuple[str, str], kinds: Iterable[str], size: int | None = None) -> Iterator[Result]:
    """Every format of one net. `size`: input side in px where it takes any."""
    spec = known_input(*net)
    module = zoo.build(*net)
    height, width = _runs_at(module, spec.channels, [(size, size)] if size else [], (spec.height, spec.width))
    image = torch.rand((1, spec.channels, height, width), generator=torch.Generator().manual_seed(1))
    lively(module, image)
    plain = {"mean": [0.0] * spec.channels, "std": [1.0] * spec.channels, "height": height, "width": width}
    with torch.no_grad():
        expected = output_tensors(module(image))
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            path = Path(folder) / f"{net[1]}.{kind.replace(' ', '_')}"
            began = time.monotonic()
            try:
                export(module, image, kind, path)
            except Exception as error:  # the exporter's own failure: no file, nothing to open
                if (height, width) != (spec.height, spec.width):  # some are only exported at their own size
                    yield from measure(net, [kind])
                    continue
                yield Result(*net, kind, 0.0, reason=f"{NO_FILE}{_first_line(error)}")
                continue
            began = time.monotonic()
            try:
                model = open_model(path, input_spec=plain)
                with torch.no_grad():
                    found = output_tensors(model(image))
                seconds = time.monotonic() - began
                yield Result(*net, kind, seconds, _worst(found, expected), model.card.one_by_one)
            except Exception as error:  # whatever it is, it is a net that did not open
                yield Result(*net, kind, time.monotonic() - began, reason=_first_line(error))
            path.unlink()


def _runs_at(module: nn.Module, channels: int, wished: list[tuple[int, int]], own: tuple[int, int]) -> tuple[int, int]:
    for height, width in wished:
        try:
            with torch.no_grad():
                module(torch.zeros(1, channels, height, width))
        except Exception:  # a net of one size fails in any way at another
            continue
        return height, width
    return own


def _worst(found: list[torch.Tensor], expected: list[torch.Tensor]) -> float:
    if [part.shape for part in found] != [part.shape for part in expected]:
        return float("inf")
    pairs = zip(found, expected, strict=True)
    return max(float((mine - theirs).abs().max() / theirs.std().clamp(min=1e-12)) for mine, theirs in pairs)


def _first_line(error: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()  # exporters write in colours
    return f"{type(error).__name__}: {text[0][:160] if text else ''}"


NO_FILE = "not exported: "
RIGHT = 1e-2
"""Of an output's standard deviation."""


def lacking(results: Iterable[Result], nets: Iterable[tuple[str, str]]) -> list[str]:
    """The planned nets that were not tried in every format, and in which not."""
    tried = {(result.zoo, result.net, result.format) for result in results}
    left = [(net, [kind for kind in FORMATS if (*net, kind) not in tried]) for net in nets]
    return [f"{origin} `{name}`: {', '.join(kinds)}" for (origin, name), kinds in left if kinds]


def table(results: Iterable[Result], planned: int, untried: Sequence[str] = ()) -> str:
    """The page: a line of totals a zoo and format, then every net that is missing or off, with its reason.

    planned : how many nets the whole run has
    untried : what it has not come to
    """
    results = list(results)
    lines = ["# Which nets open", "", _preface(results, planned), ""]
    lines += ["| zoo | format | nets | files | opened | right | run one by one | median s | worst difference |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.zoo, result.format), []).append(result)
    for (origin, kind), group in sorted(groups.items(), key=lambda item: (item[0][0], FORMATS.index(item[0][1]))):
        files = [result for result in group if not result.reason.startswith(NO_FILE)]
        opened = [result for result in files if result.difference is not None]
        right = [result for result in opened if _is_right(result)]
        seconds = sorted(result.seconds for result in opened) or [0.0]
        worst = max((result.difference or 0.0 for result in right), default=0.0)
        single = sum(result.one_by_one for result in opened)
        lines.append(
            f"| {origin} | {kind} | {len(group)} | {len(files)} | {len(opened)} "
            f"| {len(right)} ({len(right) / max(len(files), 1):.1%}) "
            f"| {single} | {seconds[len(seconds) // 2]:.1f} | {worst:.1e} |"
        )
    wrong = [result for result in results if not _is_right(result)]
    unmade = [result for result in wrong if result.reason.startswith(NO_FILE)]
    lines += ["", "## What Strata does not open right, net by net", "", *(_listed(wrong, unmade) or ["Nothing."])]
    if untried:
        lines += ["", "## What was not tried yet", "", *(f"- {line}" for line in untried)]
    lines += ["", "## What PyTorch's exporters make no file of", "", *(_listed(unmade, []) or ["Nothing."])]
    return "\n".join(lines) + "\n"


def _listed(results: Sequence[Result], but: Sequence[Result]) -> list[str]:
    left = [result for result in results if result not in but]
    return [f"- {result.zoo} `{result.net}`, {result.format}: {_why(result)}" for result in left]


def _is_right(result: Result) -> bool:
    return result.difference is not None and result.difference <= RIGHT


def _why(result: Result) -> str:
    return result.reason.replace("|", "/") or f"output off by {result.difference:.2g} standard deviations"


def _preface(results: list[Result], planned: int) -> str:
    nets = len({(result.zoo, result.net) for result in results})
    return (
        f"Written by `make bench-loading` on torch {torch.__version__}: {nets} of {planned} planned nets, "
        "in the order of their size (a run goes on where the last one stopped), saved in each format and opened "
        "from the file alone. Files: what the exporter made. Right: within "
        f"{RIGHT:g} standard deviations of the original's output. Old and new are PyTorch's two ONNX exporters "
        "(TorchScript, operator set 17; dynamo, its newest). Files carry the net's name, which decides between twins "
        "that share every key and shape."
    )


def run(
    nets: Sequence[tuple[str, str]],
    kinds: Iterable[str],
    out: Path,
    record: Path,
    say: Callable[[str], None] = print,
) -> None:
    """Measure what `record` does not hold yet, and write the page after every net."""
    record.parent.mkdir(parents=True, exist_ok=True)
    done: list[Result] = []
    if record.exists():
        done = [Result(**json.loads(line)) for line in record.read_text().splitlines()]
    known = {(result.zoo, result.net, result.format) for result in done}
    for net in nets:
        wanted = [kind for kind in kinds if (*net, kind) not in known]
        if not wanted:
            continue
        for result in measure(net, wanted, SMALL):
            done.append(result)
            with record.open("a") as file:
                file.write(json.dumps(asdict(result)) + "\n")
            say(f"{net[0]} {net[1]} {result.format}: {_why(result) if not _is_right(result) else 'right'}")
        out.write_text(table(done, len(nets), lacking(done, nets)))


def chosen(count: int) -> list[tuple[str, str]]:
    """torchvision's classifiers, and the smallest net of timm's `count` smallest families; in the order of size.

    A family is what comes before the first `_` of its nets' names. One net of each, since they share their code.
    """
    size = {(net.zoo, net.name): sum(_numbers(shape) for shape in net.shapes.values()) for net in index()}
    families: dict[str, tuple[str, str]] = {}
    for net in sorted((net for net in size if net[0] == zoo.TIMM), key=lambda net: size[net]):
        families.setdefault(net[1].split("_")[0], net)
    classifiers = [(zoo.TORCHVISION, name) for name in zoo.names(zoo.TORCHVISION) if _is_classifier(name)]
    return sorted([*classifiers, *list(families.values())[:count]], key=lambda net: size[net])


def _numbers(shape: str) -> int:
    return math.prod(int(side) for side in shape.split("x") if side)


def _is_classifier(name: str) -> bool:
    from analysis.models.torchvision_import import torchvision

    return name in torchvision.models.list_models(module=torchvision.models)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timm", type=int, default=150, help="how many timm nets beside torchvision's 80")
    parser.add_argument("--nets", nargs="*", help="only these, as zoo/name")
    parser.add_argument("--formats", nargs="*", default=FORMATS, choices=FORMATS)
    parser.add_argument("--out", type=Path, default=Path("docs/loading.md"))
    parser.add_argument("--record", type=Path, default=Path("out/loading.jsonl"), help="goes on where this stopped")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    nets: list[Any] = [tuple(name.split("/", 1)) for name in arguments.nets or []] or chosen(arguments.timm)
    run(nets, arguments.formats, arguments.out, arguments.record)


if __name__ == "__main__":
    main()
