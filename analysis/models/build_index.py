"""Regenerates architectures.json.xz: `python -m analysis.models.build_index [--zoo timm] [--processes 2]`.

Builds every net twice, with its own and with another number of classes: what changes shape is its head. Weights get
no memory, so it takes about twenty minutes on one core.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import lzma
import multiprocessing
import sys
import warnings
from typing import Any

import torch

from analysis.models import zoo
from analysis.models.architectures import INDEX
from analysis.models.fingerprint import weights_of


def describe(net: tuple[str, str]) -> dict[str, Any] | None:
    """One net's entry: its tensors' shapes by key, and which of them are the head. None for one without conv."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    try:
        module = zoo.outline(*net)
        shapes = weights_of(module.state_dict())
        convs = sum(isinstance(part, torch.nn.modules.conv._ConvNd) for part in module.modules())
        del module
        gc.collect()
        if not convs:
            return None
        head = _head(net, shapes)
    except Exception as error:
        print(f"{net[0]} {net[1]}: left out, {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
        return None
    return {
        "zoo": net[0],
        "name": net[1],
        "head": head,
        "shapes": {key: "x".join(map(str, shape)) for key, shape in shapes.items()},
    }


def _head(net: tuple[str, str], shapes: dict[str, tuple[int, ...]]) -> list[str]:
    try:
        other = weights_of(zoo.outline(*net, classes=7).state_dict())
    except TypeError:
        return []  # no classifier: it takes no number of classes
    return sorted(key for key, shape in shapes.items() if other.get(key) != shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", action="append", choices=[zoo.OWN, zoo.TORCHVISION, zoo.TIMM])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", default=str(INDEX))
    arguments = parser.parse_args()
    zoos = arguments.zoo or [zoo.OWN, zoo.TORCHVISION, zoo.TIMM]
    nets = [(name, net) for name in zoos for net in zoo.names(name)]
    with multiprocessing.get_context("spawn").Pool(arguments.processes, maxtasksperchild=300) as pool:
        entries = []
        for done, entry in enumerate(pool.imap(describe, nets, chunksize=1), 1):
            entries.extend([entry] if entry else [])
            print(f"\r{done} of {len(nets)}", end="", file=sys.stderr)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "torchvision", "timm")}
    content = json.dumps({"made with": versions, "nets": entries}, separators=(",", ":")).encode()
    with lzma.open(arguments.out, "wb", preset=9 | lzma.PRESET_EXTREME) as file:
        file.write(content)
    print(f"\n{len(entries)} nets in {arguments.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
