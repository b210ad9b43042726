"""A model that came in a bundle is opened in a guarded process before it is opened in a worker."""

from pathlib import Path

import pytest

from analysis.atlas.library import UNOPENED, Library
from analysis.jobs.worker import open_model_of
from analysis.models import guard
from analysis.models.errors import ModelError
from analysis.models.open import open_model
from tests.tiny import tiny_onnx


def test_a_model_from_elsewhere_is_guarded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(tmp_path / "library")
    card = open_model(tiny_onnx(tmp_path / "tiny.onnx")).card
    file = library.add_model(card, tmp_path / "tiny.onnx")
    (file.parent / UNOPENED).touch()

    def broken(path: Path, **options: object) -> None:
        raise ModelError(f"{path.name} broke the process that opened it.")

    with monkeypatch.context() as patch:
        patch.setattr(guard, "inspect_guarded", broken)
        with pytest.raises(ModelError, match="broke the process"):
            open_model_of(str(library.root), card.id)
    assert library.is_unopened(card.id)

    assert open_model_of(str(library.root), card.id).card.id == card.id
    assert not library.is_unopened(card.id)
    open_model_of.cache_clear()
    monkeypatch.setattr(guard, "inspect_guarded", broken)
    assert open_model_of(str(library.root), card.id).card.id == card.id
