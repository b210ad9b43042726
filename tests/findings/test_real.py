"""Nets that work well, by other people: nothing is called high that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.findings.find import find, missing
from analysis.models.open import open_model
from analysis.probe import open_probe
from tests.findings.atlases import atlas_of
from tests.shared import shared_file

pytestmark = pytest.mark.slow
TABLES: dict[str, dict[str, int]] = {"weights": {}, "statistics": {}}


def test_resnet20_has_dead_channels_and_jpeg_images(tmp_path: Path) -> None:
    """18 of 688 channels are dead, and JPEG images are not what it was trained on: both are so, and neither is high."""
    model = open_model(shared_file("models/cifar-resnet/resnet20-12fca82f.th"))
    probe = open_probe(str(shared_file("images/cifar-10-2000.tar")), count=600)
    found = {each.rule: each for each in find(atlas_of(model, probe, tmp_path, TABLES))}
    assert [each.severity for each in found.values() if each.severity == "high"] == []
    assert found["dead"].evidence["dead channels"] in range(18, 22), "a few open on one image in a thousand only"
    assert found["input"].severity == "medium"
    assert set(found) <= {"dead", "input", "unused"}


def test_squeezenet_is_not_called_untrained(tmp_path: Path) -> None:
    """Some of its 1 × 1 layers end below the spectral edge and its stem has filters with their negatives: no faults."""
    model = open_model(shared_file("models/squeezenet/squeezenet1_1_imagenet_torchnorm.pth"))
    probe = open_probe(str(shared_file("images/imagenet-1000.tar")), count=40)
    atlas = atlas_of(model, probe, tmp_path, TABLES)
    assert {each.rule for each in find(atlas) if each.severity != "low"} == set()
    assert "not applicable" in {each.rule: each.needs for each in missing(atlas)}["input"]
