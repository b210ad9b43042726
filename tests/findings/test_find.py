"""The order of findings, what is said of rules that can not judge, and the rules' own declarations."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.atlas.atlas import Atlas
from analysis.findings.duplicates import joined, pairs_by_chance
from analysis.findings.find import RULES, find, missing
from analysis.findings.finding import NAMES, SEVERITIES
from analysis.models.open import open_model
from analysis.probe import open_probe
from sample_models.catalog import SAMPLES, draw_probe
from tests.atlas.synthetic import layer
from tests.findings.atlases import atlas_of

Sample = Callable[[str], Atlas]
ROOT = Path(__file__).resolve().parents[2]


def test_worst_first_and_every_finding_is_whole(sample: Sample) -> None:
    found = find(sample("doodles-sick"))
    order = [SEVERITIES.index(finding.severity) for finding in found]
    assert order == sorted(order)
    layers = {layer.name for layer in sample("doodles-sick").model.layers}
    for finding in found:
        assert finding.layer is None or finding.layer in layers
        assert finding.title.endswith(".")
        assert finding.null
        assert finding.cure
        assert finding.evidence
        json.dumps(finding.to_json(), allow_nan=False)


def test_rules_have_names_of_their_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_command_line_and_the_page_call_severities_the_same() -> None:
    page = (ROOT / "dashboard/components/browser/findings.js").read_text()
    assert "const NAMES = { " + ", ".join(f'{name}: "{NAMES[name]}"' for name in SEVERITIES) + " }" in page


def test_what_is_not_made_yet_is_said(tmp_path: Path) -> None:
    draw_probe(tmp_path / "images", "small", count=4)
    model = open_model(SAMPLES["small"].file)
    atlas = atlas_of(model, open_probe(str(tmp_path / "images")), tmp_path / "library", {"weights": {}})
    lacking = {each.rule: each.needs for each in missing(atlas)}
    assert lacking["dead"] == f"needs statistics of {len(model.card.layers)} layers, not made yet"
    assert find(atlas) == []


def test_no_rule_needs_torch(sample: Sample) -> None:
    """Pages ask for findings, and pages never load torch."""
    code = (
        "import sys; from pathlib import Path; from analysis.atlas.atlas import Atlas; "
        "from analysis.findings import find;"
        f"find.find(Atlas(Path({str(sample('doodles-sick').root)!r}))); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pairs_by_chance_is_what_random_filters_show() -> None:
    """In few dimensions alike filters are common: 40 filters of 4 weights, drawn often, against the formula."""
    inputs = 4
    random = np.random.default_rng(0).normal(size=(400, 40, inputs))
    unit = random / np.linalg.norm(random, axis=2, keepdims=True)
    cosine = np.abs(unit @ unit.transpose(0, 2, 1))
    seen = (np.triu(cosine, 1) >= 0.95).sum() / len(random)
    assert pairs_by_chance(layer("conv", 40), inputs) == pytest.approx(seen, rel=0.05)


def test_pairs_become_groups() -> None:
    assert joined(np.array([[1, 2], [2, 1], [5, 7], [8, 5], [3, 9]])) == [[5, 7, 8], [1, 2], [3, 9]]
