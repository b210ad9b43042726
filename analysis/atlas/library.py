"""A library: the folder that holds models, atlases, dreams and the job table."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from analysis.atlas.atlas import Atlas, create
from analysis.atlas.files import write_atomically
from analysis.clock import now
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard

VERSIONED = ("strata-atlas", "torch", "torchvision", "timm", "onnx", "onnx2torch", "numpy", "Pillow")
"""Packages whose version may change a result; recorded with every build."""


class Library:
    """The library in the folder `root`. Folders are made when something is first put into them."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).expanduser().absolute()

    # Models: the files themselves, so that an atlas can be built further after the original has moved

    def add_model(self, card: ModelCard, file: Path) -> Path:
        """Keep the model's file, and those beside it that it keeps weights in, with its card; returns its path."""
        folder = self.root / "models" / card.id
        kept = folder / file.name
        if not kept.exists():
            draft = folder / f".{file.name}"
            folder.mkdir(parents=True, exist_ok=True)
            for side_file in card.side_files:
                (folder / side_file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.parent / side_file, folder / side_file)
            shutil.copyfile(file, draft)
            draft.rename(kept)
        write_atomically(folder / "card.json", to_json({"file": file.name, "card": card.to_json()}))
        return kept

    def models(self) -> list[ModelCard]:
        """The cards of all models, by id."""
        return [self.model(path.parent.name)[0] for path in sorted(self.root.glob("models/*/card.json"))]

    def model(self, model_id: str) -> tuple[ModelCard, Path]:
        """A model's card and its file. Raises StrataError, naming the nearest, where there is no such model."""
        known = [path.parent.name for path in self.root.glob("models/*/card.json")]
        if model_id not in known:
            raise _unknown("model", model_id, known)
        folder = self.root / "models" / model_id
        facts = from_json((folder / "card.json").read_bytes())
        return ModelCard.from_json(facts["card"]), folder / facts["file"]

    # Atlases

    def create_atlas(self, model: ModelCard, probe: ProbeCard | None) -> Atlas:
        """The atlas of this model with this probe, made if it is not there yet."""
        name = f"{model.id}.{probe.hash[:8] if probe else 'no-images'}"
        return create(self.root / "atlases" / name, model, probe, now(), versions())

    def atlases(self) -> list[Atlas]:
        """All atlases, newest first."""
        folders = [path.parent for path in self.root.glob("atlases/*/atlas.json")]
        return sorted((_open(folder) for folder in folders), key=lambda atlas: (atlas.created, atlas.id), reverse=True)

    def atlas(self, name: str) -> Atlas:
        """By atlas id, by model id (the newest of its atlases) or by the beginning of either where that is one atlas's.

        Raises StrataError, naming the nearest, otherwise.
        """
        atlases = self.atlases()
        for exact in (lambda atlas: atlas.id == name, lambda atlas: atlas.model.id == name):
            for atlas in atlases:
                if exact(atlas):
                    return atlas
        begun = [atlas for atlas in atlases if name and atlas.id.startswith(name)]
        if len({atlas.model.id for atlas in begun}) == 1:
            return begun[0]
        if begun:
            raise StrataError(f"“{name}” is the beginning of {len(begun)} atlases. Write more of the name.")
        raise _unknown("atlas", name, [atlas.id for atlas in atlases])

    # What else a library holds

    @property
    def database_url(self) -> str:
        self.root.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self.root / 'jobs.sqlite'}"

    def job_folder(self, job_id: str) -> Path:
        """Where a job leaves what belongs to no atlas: the sign that it was cancelled, its log."""
        return self.root / "jobs" / job_id

    def dream_folder(self, job_id: str) -> Path:
        """The pictures of one dream."""
        return self.root / "dreams" / job_id


def versions() -> Mapping[str, str]:
    """Installed versions of what a result depends on."""
    found = {}
    for package in VERSIONED:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


@lru_cache(maxsize=256)
def _open(folder: Path) -> Atlas:
    return Atlas(folder)


def _unknown(kind: str, name: str, known: list[str]) -> StrataError:
    if not known:
        return StrataError(f"There is no {kind} “{name}”: the library is empty. Build one with `strata build`.")
    near = difflib.get_close_matches(name, known, n=1, cutoff=0) or known[:1]
    return StrataError(f"There is no {kind} “{name}” in the library. The nearest is {near[0]}.")
