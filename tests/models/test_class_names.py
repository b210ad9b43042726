"""Names of classes are taken for known only where the net and the number of its outputs say so."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from analysis.models.class_names import CIFAR10, published_names
from analysis.models.model import ModelCard
from tests.dashboard.synthetic import model_card


def card(architecture: str | None, **heads: int) -> ModelCard:
    return replace(model_card(), architecture=architecture, heads=heads)


@pytest.mark.parametrize("net", ["squeezenet1_1", "resnet50.a1_in1k"])
def test_a_known_net_with_a_thousand_outputs_has_imagenets_names(net: str) -> None:
    found = published_names(card(net, output=1000))
    assert found is not None
    assert (found.names[0], found.names[207], found.names[999]) == ("tench", "golden retriever", "toilet tissue")
    assert found.evidence.startswith("assumed")


def test_he_s_cifar_nets_have_cifars_names() -> None:
    found = published_names(card("cifar_resnet20", output=10))
    assert found is not None
    assert found.names == CIFAR10


@pytest.mark.parametrize(
    "unknown",
    [
        card("resnet50", output=12), card(None, output=1000), card("my_net.py:Net", output=1000),
        card("cifar_resnet20", output=100), card("googlenet", output=1000, aux=1000), card("unet"),
    ],
)  # fmt: skip
def test_others_have_none(unknown: ModelCard) -> None:
    assert published_names(unknown) is None


def test_the_names_load_no_torch() -> None:
    code = (
        "import sys; from analysis.models.class_names import _imagenet; assert len(_imagenet()) == 1000; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
