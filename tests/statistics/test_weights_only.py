"""Weights of a net that nobody knows still have an atlas of their own: what the weights alone tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from analysis import encoding
from analysis.models.open import inspect_model, open_model
from analysis.statistics.technique import NoParameters
from analysis.statistics.weights_technique import Weights
from analysis.technique import Context, Request, Wanted


def test_the_kernels_of_an_unknown_net_are_measured_as_they_lie_in_the_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    odd = {
        "eye.lens.weight": torch.randn(6, 3, 5, 5),
        "eye.lens.bias": torch.arange(6.0),
        "nerve.weight": torch.randn(4, 6, 1, 1),
    }
    file = tmp_path / "unheard_of.pt"
    torch.save(odd, file)
    card = inspect_model(file)
    assert card.weights_only
    tasks = Weights().plan(Request(card, None, Wanted(("eye.lens", "nerve")), NoParameters()))
    context = Context(model=lambda: open_model(file), probe=lambda: None, inputs={})  # type: ignore[arg-type,return-value]
    lens, nerves = (Weights().run(task, context) for task in tasks)
    table = encoding.from_parquet(lens["weights.parquet"])
    np.testing.assert_allclose(table["norm"], odd["eye.lens.weight"].flatten(1).norm(dim=1), rtol=1e-6)
    assert table["bias"].tolist() == [0, 1, 2, 3, 4, 5]
    assert "kernels.webp" in lens
    assert encoding.from_parquet(nerves["weights.parquet"])["bias"].tolist() == [0, 0, 0, 0]
