"""A library: the folder that holds models, atlases, dreams and the job table."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath

from analysis.atlas.atlas import MANIFEST, Atlas, create
from analysis.atlas.files import below, files_below, is_local, place, told, write_atomically
from analysis.atlas.glance import glance
from analysis.clock import now
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard

VERSIONED = ("strata-atlas", "torch", "torchvision", "timm", "onnx", "onnx2torch", "numpy", "Pillow")
"""Packages whose version may change a result; recorded with every build."""
CARD = "card.json"
CARDS = f"models/*/{CARD}"
UNOPENED = "unopened"
"""Beside the card of a model that came in a bundle, until it was opened here once, in a guarded process."""
JOBS = "jobs.sqlite"


class Library:
    """The library in the folder `root`. Folders are made when something is first put into them."""

    def __init__(self, root: Path | str, database: str | None = None) -> None:
        """
        root     : a folder, or the URL of one in an object store (`s3://bucket/strata`)
        database : URL of the job table; without one, STRATA_DATABASE, else a file in the folder
        """
        self.root = place(root)
        if is_local(self.root) and self.root.is_file():
            raise StrataError(f"The library {self.root} is a file. Name a folder with --library.")
        self._database = database or os.environ.get("STRATA_DATABASE")

    @property
    def desk(self) -> Path:
        """A folder of this machine for what is brought: the library's own, or one in the user's cache beside a library
        in an object store."""
        if is_local(self.root):
            return Path(self.root)
        return _cache() / "desks" / hashlib.sha256(str(self.root).encode()).hexdigest()[:16]

    def found(self) -> Library:
        """Itself, for what only reads or frees. Raises StrataError where nothing was ever put there."""
        if not any((self.root / room).exists() for room in ("models", "atlases", JOBS)):
            raise StrataError(
                f"There is no library at {self.root}. Name one with --library, or make one with `strata build`."
            )
        return self

    # Models: the files themselves, so that an atlas can be built further after the original has moved

    def add_model(self, card: ModelCard, file: Path) -> Path:
        """Keep the model's file, and those beside it that it keeps weights in, with its card; returns its path."""
        folder = self.root / "models" / card.id
        kept = folder / file.name
        with told(kept):
            there = kept.exists()
        if not there:
            for name in card.side_files:
                write_atomically(folder / name, (file.parent / name).read_bytes(), lasting=True)
            write_atomically(kept, file.read_bytes(), lasting=True)
        write_atomically(folder / CARD, to_json({"file": file.name, "card": card.to_json()}), lasting=True)
        return kept

    def models(self) -> list[ModelCard]:
        """The cards of all models that can be read, by id."""
        cards = []
        for path in below(self.root, CARDS):
            with suppress(StrataError):
                cards.append(_card(path.parent)[0])
        return cards

    def model(self, name: str) -> tuple[ModelCard, Path]:
        """A model's card and its file, by id, by the model's own name or by the beginning of its id.

        Raises StrataError, naming the nearest, where no model or more than one is meant, and where its card can not be
        read.
        """
        known = [path.parent.name for path in below(self.root, CARDS)]
        model_id = name if name in known else self._meant("model", name, {card.id: card for card in self.models()})
        return _card(self.root / "models" / model_id)

    def model_on_disk(self, model_id: str) -> tuple[ModelCard, Path]:
        """The same with the file on this machine: a copy in the user's cache, made once, of one in an object store."""
        card, file = self.model(model_id)
        if is_local(file):
            return card, file
        copies = _cache() / model_id
        for name, size in files_below(file.parent).items():
            copy = copies / name
            if not copy.is_file() or copy.stat().st_size != size:
                write_atomically(copy, (file.parent / name).read_bytes())
        return card, copies / file.name

    def is_unopened(self, model_id: str) -> bool:
        """Whether the model came in a bundle and nobody has opened it here: its card is what a stranger says."""
        return (self.root / "models" / model_id / UNOPENED).exists()

    def was_opened(self, model_id: str) -> None:
        """It opened where it could do no harm."""
        (self.root / "models" / model_id / UNOPENED).unlink(missing_ok=True)

    # Atlases

    def create_atlas(self, model: ModelCard, probe: ProbeCard | None) -> Atlas:
        """The atlas of this model with this probe, made if it is not there yet."""
        name = f"{model.id}.{probe.hash[:8] if probe else 'no-images'}"
        return create(self.root / "atlases" / name, model, probe, now(), versions())

    def atlases(self) -> list[Atlas]:
        """All atlases that can be read, newest first."""
        readable = [atlas for atlas in self.all_atlases() if _told_of(atlas) is None]
        return sorted(readable, key=lambda atlas: (atlas.created, atlas.id), reverse=True)

    def all_atlases(self) -> list[Atlas]:
        """All atlases by id, also those that are damaged or of a newer format: their manifests raise StrataError."""
        manifests = glance((self.root, MANIFEST), lambda: below(self.root, f"atlases/*/{MANIFEST}"))
        return [_open(path.parent) for path in manifests]

    def atlas(self, name: str) -> Atlas:
        """By its id, by its model's id or name, or by the beginning of any; of one model's atlases the newest.

        Raises StrataError, naming the nearest, where no model's or more than one's is meant.
        """
        for atlas in self.all_atlases():
            if atlas.id == name and (error := _told_of(atlas)):
                raise error
        atlases = {atlas.id: atlas for atlas in self.atlases()}
        return atlases[self._meant("atlas", name, {each: atlas.model for each, atlas in atlases.items()})]

    def _meant(self, kind: str, name: str, known: Mapping[str, ModelCard]) -> str:
        """Which of the ids in `known` (id → its model) a name means: the first of those of one model."""
        ways: tuple[Callable[[str, ModelCard], bool], ...] = (
            lambda each, model: name == each,
            lambda each, model: name == model.id,
            lambda each, model: name == model.name,
            lambda each, model: name != "" and each.startswith(name),
        )
        for means in ways:
            meant = {each: model for each, model in known.items() if means(each, model)}
            if len({model.id for model in meant.values()}) > 1:
                raise StrataError(f"“{name}” may be {_listed(meant, ' or ')}. Write more of the name.")
            if meant:
                return next(iter(meant))
        if not known:
            self.found()
            raise StrataError(f"There is no {kind} “{name}”: the library is empty. Build one with `strata build`.")
        names = {called: each for each, model in known.items() for called in (each, model.id, model.name)}
        near = difflib.get_close_matches(name, names, n=1)
        offer = f"The nearest is {names[near[0]]}" if near else f"What there is: {_listed(known, ', ')}"
        raise StrataError(f"There is no {kind} “{name}” in the library. {offer}.")

    # What else a library holds

    @property
    def database_url(self) -> str:
        """Where the job table is."""
        if self._database:
            return self._database
        if not is_local(self.root):
            raise StrataError(
                f"The library {self.root} is in an object store, which can not hold the job table. Name a database: "
                "--database postgresql://user@host/strata, or STRATA_DATABASE."
            )
        with told(self.root / JOBS):
            self.root.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self.root / JOBS}"

    def job_folder(self, job_id: str) -> Path:
        """Where a job leaves what belongs to no atlas: the sign that it was cancelled, its log."""
        return self.root / "jobs" / job_id

    def dream_folder(self, job_id: str) -> Path:
        """The pictures of one dream."""
        return self.root / "dreams" / job_id

    def look_folder(self, key: str) -> Path:
        """What was found in one image; the key is that of `analysis.jobs.looking.look_key`."""
        return self.root / "looks" / key


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


def _told_of(atlas: Atlas) -> StrataError | None:
    """Why an atlas can not be read, if it can not."""
    try:
        _ = atlas.manifest
    except StrataError as error:
        return error
    return None


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strata"


def _card(folder: Path) -> tuple[ModelCard, Path]:
    """What the card in a model's folder says, and the model's file, which lies in that folder: a card may be a
    stranger's. Raises StrataError where it is damaged or names another place."""
    try:
        facts = from_json((folder / CARD).read_bytes())
        card = ModelCard.from_json(facts["card"])
        names = [PurePosixPath(name) for name in (facts["file"], *card.side_files)]
        if any(name.is_absolute() or ".." in name.parts for name in names):
            raise ValueError("a file elsewhere")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StrataError(
            f"The card of the model {folder.name} can not be read. Open its file again, which writes it anew."
        ) from error
    return card, folder / names[0]


def _listed(names: Collection[str], between: str, most: int = 6) -> str:
    some = between.join(list(names)[:most])
    return f"{some} and {len(names) - most} more" if len(names) > most else some
