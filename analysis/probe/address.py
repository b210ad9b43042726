"""Where images are, as a person wrote it, said so that it holds in every folder."""

from __future__ import annotations

from pathlib import Path

from analysis.probe.torchvision_set import PREFIX


def absolute(source: str | Path) -> str:
    """What `open_probe` takes, its path from the root: of `torchvision:CIFAR10:data` that of the folder at its end."""
    name, colon, folder = str(source).removeprefix(PREFIX).partition(":")
    if not str(source).startswith(PREFIX):
        return str(Path(source).expanduser().absolute())
    return f"{PREFIX}{name}{colon}{Path(folder).expanduser().absolute()}" if folder else str(source)
