"""Atlases of the sample nets, each made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch

from analysis.atlas.atlas import Atlas
from analysis.models.open import open_model
from analysis.probe import open_probe
from sample_models.catalog import SAMPLES, draw_probe
from tests.findings.atlases import READ, atlas_of

IMAGES = 130
"""Ten of each class of the thirteen; so the strongest five of a class that is learned are all of it."""


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Atlas]:
    """The atlas of a sample net, by its name."""

    @cache
    def made(name: str) -> Atlas:
        torch.set_num_threads(1)
        folder = tmp_path_factory.mktemp(name)
        images = folder / "images"
        draw_probe(images, name, count=IMAGES)
        model = open_model(SAMPLES[name].file, input_spec=dict(SAMPLES[name].input))
        return atlas_of(model, open_probe(str(images)), folder / "library", READ | {"exemplars": {"top": 5}})

    return made
