"""Cards and artifacts made by hand, for tests of what reads them."""

from __future__ import annotations

import pandas as pd

from analysis import encoding
from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard
from analysis.task import Task


def layer(name: str, channels: int = 8) -> ConvLayer:
    return ConvLayer(
        name,
        "Conv2d",
        3,
        channels,
        (3, 3),
        (1, 1),
        (1, 1),
        (1, 1),
        1,
        27 * channels,
        (3, 3),
        (1.0, 1.0),
        (0.0, 0.0),
        (32, 32),
    )


def model_card(
    name: str = "net", sha256: str = "12345678" + "0" * 56, layers: tuple[str, ...] = ("conv1", "conv2")
) -> ModelCard:
    return ModelCard(
        id=f"{name}-{sha256[:8]}",
        name=name,
        format="onnx",
        architecture=None,
        evidence="",
        sha256=sha256,
        input=InputSpec(height=32, width=32),
        layers=tuple(layer(each) for each in layers),
    )


def probe_card(digest: str = "abcdef01" + "0" * 24) -> ProbeCard:
    return ProbeCard(digest, "images", {}, 16)


def features_task(name: str, channels: tuple[int, int], **parameters: int) -> Task:
    return Task("features", 1, "1" * 64, layer=name, channels=channels, parameters=parameters)


def features_artifact(channels: range, activation: float) -> dict[str, bytes]:
    table = pd.DataFrame({"channel": channels, "tile": range(len(channels)), "activation": activation})
    return {
        "features.parquet": encoding.to_parquet(table),
        "facts.json": encoding.to_json({"tile": [8, 8], "columns": 4}),
    }
