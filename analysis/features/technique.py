"""Feature visualization as a technique: one task for the prior of a probe, then tasks of a few channels each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from analysis import encoding, technique
from analysis.features.baseline import Baseline, baselines
from analysis.features.parameters import Parameters
from analysis.features.prior import FEWEST, Prior, prior_of, prior_without_images
from analysis.features.render import Rendered, render
from analysis.task import Task

CHUNK = 32
"""Channels a task: large enough to fill a batch, small enough that a stopped build loses little."""

TILE = 128
"""Longest side of a picture on the sheet, px."""

COLUMNS = 4


class PriorParameters(technique.Parameters):
    """The prior has nothing to set: images decide."""


class PriorTechnique(technique.Technique):
    name = "prior"
    version = 2
    title = "Prior"
    about = "How strong each frequency is in the probe's images, which colours go together, how channels answer them."
    Parameters = PriorParameters

    IMAGES = 256

    def plan(self, request: technique.Request) -> list[Task]:
        known = request.probe.hash if request.probe and request.probe.count >= FEWEST else None
        # the spectrum is taken at the size and with the channels of the model's input, so these belong to the key
        spec = request.model.input
        facts = {"input": [spec.channels, spec.height, spec.width, spec.crop]}
        return [Task(self.name, self.version, request.model.sha256, known, parameters=facts, priority=90)]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        spec = context.model().card.input
        if task.probe is None:
            prior = prior_without_images(spec.channels, spec.height, spec.width)
            return {"prior.npz": encoding.to_npz(prior.to_arrays())}
        probe = context.probe()
        count = min(self.IMAGES, probe.card.count)
        indices = np.linspace(0, probe.card.count - 1, count).astype(int).tolist()
        images = probe.batch(indices, spec)
        found = baselines(context.model(), images, context.report)
        return {
            "prior.npz": encoding.to_npz(prior_of(images).to_arrays()),
            "baseline.npz": encoding.to_npz({layer: baseline.to_array() for layer, baseline in found.items()}),
        }


class FeaturesTechnique(technique.Technique):
    name = "features"
    version = 2
    title = "Feature visualization"
    about = "For each channel, the picture that excites it most, made by the model itself."
    requires = ("prior",)
    Parameters = Parameters

    def plan(self, request: technique.Request) -> list[Task]:
        (prior,) = request.required["prior"]
        tasks = []
        for depth, name in enumerate(request.wanted.layers):
            layer = request.model.layer(name)
            if not layer.kind.endswith("2d"):
                continue
            for first, last in request.wanted.pieces(layer.out_channels, CHUNK):
                tasks.append(
                    Task(
                        self.name,
                        self.version,
                        request.model.sha256,
                        prior.probe,
                        name,
                        (first, last),
                        parameters=request.parameters.model_dump(),
                        needs=(prior.key,),
                        # every layer's first channels before any layer's last ones; deep layers, which people
                        # look at first, before shallow ones
                        priority=60 - 10 * (first > 0) + (9 * depth) // max(1, len(request.wanted.layers)),
                    )
                )
        return tasks

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.layer is not None
        assert task.channels is not None
        parameters = Parameters.model_validate(dict(task.parameters))
        given = context.inputs[task.needs[0]]
        prior = Prior.from_arrays(encoding.from_npz(given["prior.npz"]))
        baseline = None
        if "baseline.npz" in given:
            baseline = Baseline.from_array(encoding.from_npz(given["baseline.npz"])[task.layer])
        channels = range(*task.channels)
        made = render(
            context.model(), task.layer, channels, prior, parameters, baseline=baseline, report=context.report
        )
        return to_artifact(made, parameters, baseline)


def to_artifact(made: Rendered, parameters: Parameters, baseline: Baseline | None = None) -> dict[str, bytes]:
    """Pictures as the files of a `features` artifact: a table, a sheet of tiles, each picture at full size.

    With a baseline the table says how the picture compares: `natural` is the activation of the best real image (the
    least, for negative pictures), `ratio` how far above the mean over real images the picture comes, in times of how
    far that best image does.
    """
    pixels = [in_three_colors(picture) for picture in made.pictures]
    height, width = pixels[0].shape[:2]
    shrink = min(1.0, TILE / max(height, width))
    tile = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    tiles = [np.asarray(Image.fromarray(picture).resize(tile, Image.Resampling.LANCZOS)) for picture in pixels]
    table = pd.DataFrame(
        {
            "channel": list(made.channels),
            "tile": range(len(tiles)),
            "activation": made.activation.double().numpy(),
            "peak": made.peak.double().numpy(),
            "steps": made.steps.numpy(),
            "seed": parameters.seed,
            "state": list(made.state),
        }
    )
    table["natural"], table["ratio"] = np.nan, np.nan
    if baseline is not None:
        own = list(made.channels)
        natural = (baseline.least if parameters.negative else baseline.best)[own].double()
        mean = baseline.mean[own].double()
        table["natural"] = natural.numpy()
        reach = (natural - mean).where(natural != mean, torch.nan)
        table["ratio"] = ((made.activation.double() - mean) / reach).numpy()
    files = {
        "features.parquet": encoding.to_parquet(table),
        "sheet.webp": encoding.to_picture(encoding.sheet(tiles, COLUMNS)),
        "facts.json": encoding.to_json({"tile": list(tile), "columns": COLUMNS, "width": width, "height": height}),
    }
    for channel, picture in zip(made.channels, pixels, strict=True):
        files[f"{channel:05d}.webp"] = encoding.to_picture(picture, quality=90)
    return files


def in_three_colors(picture: Tensor) -> np.ndarray:
    """[C, H, W] in [0, 1] → [H, W, 3] uint8: RGB and grey as they are; of other inputs the planes are shared out
    over red, green and blue in order, each colour the mean of its share (false colour)."""
    array = picture.numpy()
    channels = len(array)
    if channels not in (1, 3):
        shares = np.array_split(array, 3) if channels > 2 else [array[:1], array[1:], array[:1]]
        array = np.stack([share.mean(0) for share in shares])
    return encoding.to_pixels(array)
