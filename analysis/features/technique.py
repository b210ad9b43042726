"""Feature visualization as a technique: tasks of a few channels, or classes, each."""

from __future__ import annotations

from analysis import encoding, technique
from analysis.features.baseline import Baseline, baseline_at
from analysis.features.files import evidence, sheet_files
from analysis.features.parameters import Parameters
from analysis.features.prior import Prior
from analysis.features.prior_technique import some_of
from analysis.features.render import render
from analysis.features.target import Target, target_of
from analysis.statistics.follow import Follow
from analysis.statistics.following import follows_of
from analysis.task import Task

CHUNK = 32
"""Channels a task: large enough to fill a batch, small enough that a stopped build loses little."""


class FeaturesTechnique(technique.Technique):
    name = "features"
    version = 4
    title = "Feature visualization"
    about = "For each channel and each class, the picture that excites it most, made by the model itself."
    requires = ("prior",)
    Parameters = Parameters

    def plan(self, request: technique.Request) -> list[Task]:
        (prior,) = request.required["prior"]
        model, wanted = request.model, request.wanted
        layers = [name for name in wanted.layers if model.layer(name).kind.endswith("2d")] + list(wanted.heads)
        return [
            Task(
                self.name,
                self.version,
                model.sha256,
                prior.probe,
                name,
                piece,
                # a head has one site, its logits
                parameters={**request.parameters.model_dump(), **({"site": "conv"} if name in wanted.heads else {})},
                needs=(prior.key,),
                # every layer's first channels before any layer's last ones; deep layers, which people
                # look at first, before shallow ones
                priority=60 - 10 * (piece[0] > 0) + (9 * depth) // len(layers),
            )
            for depth, name in enumerate(layers)
            for piece in wanted.pieces(model.units(name), CHUNK)
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.layer is not None
        assert task.channels is not None
        parameters = Parameters.model_validate(dict(task.parameters))
        model = context.model()
        target = target_of(model, task.layer, parameters)
        prior, baseline = given(task, context, target)
        channels = range(*task.channels)
        made = render(model, task.layer, channels, prior, parameters, baseline=baseline, report=context.report)
        return sheet_files(made, evidence(made, parameters, baseline, followed(target)))


def followed(target: Target) -> Follow | None:
    """What comes after a conv layer; nothing comes after a head."""
    return None if target.model.card.is_head(target.name) else follows_of(target.model)[target.name]


def given(task: Task, context: technique.Context, target: Target) -> tuple[Prior, Baseline | None]:
    """The prior that a task's pictures begin from, and how the target answers real images, where there are any."""
    artifact = context.inputs[task.needs[0]]
    prior = Prior.from_arrays(encoding.from_npz(artifact["prior.npz"]))
    if "baseline.npz" not in artifact:
        return prior, None
    if target.site == "conv":
        return prior, Baseline.from_array(encoding.from_npz(artifact["baseline.npz"])[target.name])
    return prior, baseline_at(target, some_of(context.probe(), target.model.card.input))
