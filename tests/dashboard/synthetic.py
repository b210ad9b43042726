"""A library made by the store's own writer from invented pictures and numbers: small, quick, always the same."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from analysis import encoding
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard
from analysis.statistics.columns import COLUMNS
from analysis.task import Task

CLASSES = ("church", "golf ball", "parachute", "tench")
TILE = 64
CHUNK = 16
LAYER_FACTS = {
    "images": 40, "activation": "relu", "joined": False, "batch_norm": None, "structure": None,
    "nearest_centroid": None, "needs": {"batch_norm": "a batch normalisation", "structure": "more images"},
}  # fmt: skip
ABSENT = ["selectivity", "classes", "class_means", "twin", "twin_correlation"]
"""Columns of statistics that are left out: what they told would be untrue."""


def convolution(name: str, channels: int, before: int, field: int) -> ConvLayer:
    return ConvLayer(
        name, "Conv2d", before, channels, (3, 3), (1, 1), (1, 1), (1, 1), 1, 9 * before * channels,
        receptive_field=(field, field), jump=(2.0, 2.0), offset=(0.5, 0.5), output_size=(16, 16),
    )  # fmt: skip


def model_card(name: str = "tiny", sha256: str = "ab" * 32, widths: tuple[int, ...] = (16, 48, 96)) -> ModelCard:
    layers, before = [], 3
    for number, width in enumerate(widths):
        layers.append(convolution(f"features.{number}.conv", width, before, 3 + 14 * number))
        before = width
    return ModelCard(
        f"{name}-{sha256[:8]}", name, "state dict", "tiny net", "Told so by the test.", sha256,
        InputSpec(height=64, width=64), tuple(layers),
    )  # fmt: skip


def probe_card() -> ProbeCard:
    return ProbeCard("12" * 16, "invented", {}, 40, CLASSES, (("odd/broken.png", "the file is empty"),))


def pattern(seed: int, side: int = TILE) -> np.ndarray:
    """[side, side, 3] uint8: two coloured waves, different for every seed."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    waves = [
        np.sin(2 * np.pi * (draw.uniform(-5, 5) * x + draw.uniform(-5, 5) * y) + draw.uniform(0, 6)) for _ in range(2)
    ]
    colours = draw.uniform(-0.5, 0.5, (2, 3))
    mixed = 0.5 + waves[0][..., None] * colours[0] + waves[1][..., None] * colours[1]
    return encoding.to_pixels(np.clip(mixed, 0, 1).transpose(2, 0, 1))


def statistics_of(layer: ConvLayer, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    count = layer.out_channels
    mean = draw.normal(-0.4, 0.8, count)
    deviation = draw.gamma(4, 0.3, count)
    known = pd.DataFrame(
        {
            "channel": range(count),
            "images": 40,
            "mean": mean,
            "std": deviation,
            "min": mean - 3 * deviation,
            "max": mean + 4 * deviation,
            "zeros": 1 / (1 + np.exp(mean / deviation)),
            "dead": np.arange(count) == 3,
            "after_mean": np.maximum(mean, 0.1),
            "peak_mean": mean + 2 * deviation,
            "peak_max": mean + 4 * deviation,
            "histogram": [draw.integers(0, 900, 32).tolist() for _ in range(count)],
            "histogram_edges": [np.linspace(-2, 3, 33).tolist() for _ in range(count)],
        }
    )
    # every column that a real table has, so that whoever reads one finds it; 0 where nothing was invented
    return known.reindex(columns=[*COLUMNS], fill_value=0).drop(columns=ABSENT)


def exemplars_of(layer: ConvLayer, channels: range, seed: int) -> tuple[pd.DataFrame, list[np.ndarray]]:
    rows: list[dict[str, object]] = []
    tiles: list[np.ndarray] = []
    for channel in channels:
        for kind, count in (("top", 9), ("median", 3), ("least", 3)):
            for rank in range(count):
                image = (channel * 7 + rank * 3) % 40
                rows.append(
                    {
                        "channel": channel, "rank": rank, "kind": kind, "image": image, "name": f"{image:04d}.jpg",
                        "label": CLASSES[(channel + rank // 3) % 4], "value": 5.0 - rank * 0.3, "y": 3, "x": 4,
                        "top": 8, "left": 12, "bottom": 40, "right": 44, "tile": len(tiles),
                    }
                )  # fmt: skip
                tiles.append(pattern(1000 + seed + channel * 31 + rank))
    return pd.DataFrame(rows), tiles


def write(atlas: Atlas, task: Task, artifact: dict[str, bytes]) -> None:
    atlas.artifacts.write(task, artifact)


def sheet(tiles: list[np.ndarray], columns: int = 4, tile: int = TILE) -> dict[str, bytes]:
    return {
        "picture": encoding.to_picture(encoding.sheet(tiles, columns)),
        "facts.json": encoding.to_json({"tile": tile, "columns": columns}),
    }


def chunks(count: int) -> list[range]:
    return [range(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]


def add_atlas(
    library: Library,
    card: ModelCard,
    *,
    most: int | None = None,
    seed: int = 0,
    pictures: bool = True,
    exemplars: bool = True,
    done: float = 1.0,
) -> Atlas:
    """An atlas of `card`, the share `done` of its tasks done; most: chunks of channels a layer that are asked for."""
    probe = probe_card()
    atlas = library.create_atlas(card, probe)
    planned: list[tuple[Task, dict[str, bytes]]] = []
    for number, layer in enumerate(card.layers):
        task = Task("statistics", 1, card.sha256, probe.hash, layer.name)
        measured = encoding.to_parquet(statistics_of(layer, seed + number))
        planned.append((task, {"statistics.parquet": measured, "layer.json": encoding.to_json(LAYER_FACTS)}))
        for piece in chunks(layer.out_channels)[:most]:
            span = (piece.start, piece.stop)
            if exemplars:
                table, tiles = exemplars_of(layer, piece, seed + number * 997)
                drawn = sheet(tiles, 15)
                files = {"exemplars.parquet": encoding.to_parquet(table), "patches.webp": drawn["picture"]}
                task = Task("exemplars", 1, card.sha256, probe.hash, layer.name, span)
                planned.append((task, {**files, "facts.json": drawn["facts.json"]}))
            if pictures:
                tiles = [pattern(seed + number * 997 + channel) for channel in piece]
                table = pd.DataFrame(
                    {
                        "channel": list(piece),
                        "tile": range(len(tiles)),
                        "activation": 2.0,
                        "peak": 3.0,
                        "steps": 32,
                        "seed": 0,
                        "state": "driven",
                    }
                )
                drawn = sheet(tiles)
                files = {"features.parquet": encoding.to_parquet(table), "sheet.webp": drawn["picture"]}
                whole = {
                    f"{channel:05d}.webp": encoding.to_picture(tile) for channel, tile in zip(piece, tiles, strict=True)
                }
                facts = encoding.to_json({"tile": [TILE, TILE], "columns": 4, "width": TILE, "height": TILE})
                task = Task("features", 1, card.sha256, probe.hash, layer.name, span)
                planned.append((task, {**files, **whole, "facts.json": facts}))
    images = [pattern(5000 + number) for number in range(40)]
    drawn = sheet(images, 8)
    table = pd.DataFrame(
        {
            "image": range(40),
            "name": [f"{n:04d}.jpg" for n in range(40)],
            "label": [CLASSES[n % 4] for n in range(40)],
            "sheet": 0,
            "tile": range(40),
        }
    )
    task = Task("images", 1, card.sha256, probe.hash)
    planned.append(
        (
            task,
            {
                "images.parquet": encoding.to_parquet(table),
                "sheet-0.webp": drawn["picture"],
                "facts.json": drawn["facts.json"],
            },
        )
    )
    nothing: dict[str, object] = {"layers": None, "channels": None, "techniques": {"features": {}}}
    request = {"model": card.id, "images": "invented", **nothing}
    atlas.add_build({"request": request, "versions": {}}, [task for task, _ in planned])
    for task, artifact in planned[: round(len(planned) * done)]:
        write(atlas, task, artifact)
    return atlas


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def make_library(root: Path) -> Library:
    """Two done atlases of the same layers, one that is being built."""
    library = Library(root)
    add_atlas(library, model_card("tiny", "ab" * 32))
    add_atlas(library, model_card("tiny-later", "cd" * 32), seed=50)
    add_atlas(library, model_card("growing", "ef" * 32), seed=90, done=0.4)
    return library
