"""Feature visualization as a technique: tasks of a few channels, or classes, each."""

from __future__ import annotations

from dataclasses import replace

from analysis import encoding, technique
from analysis.features.baseline import Baseline, baseline_at
from analysis.features.files import evidence, sheet_files
from analysis.features.parameters import AtlasParameters, Parameters
from analysis.features.prior import Prior
from analysis.features.prior_technique import some_of
from analysis.features.render import render
from analysis.features.target import Target, target_of
from analysis.statistics.follow import Follow
from analysis.statistics.following import follows_of
from analysis.task import Task

CHUNK = 32
"""Channels a task: large enough to fill a batch, small enough that a stopped build loses little."""

SKETCHES = "sketches"

SOONER = {"features": 40, SKETCHES: 60}
"""Priorities of a layer's first pieces."""


class FeaturesTechnique(technique.Technique):
    name = "features"
    version = 8
    title = "Feature visualization"
    about = "For each channel and each class, the picture that excites it most, made by the model itself."
    requires = ("prior",)
    on_device = True
    Parameters = AtlasParameters

    def plan(self, request: technique.Request) -> list[Task]:
        """Sketches of everything first, so that an atlas fills fast; then the pictures."""
        settings = request.parameters
        fine = tasks_of(self.name, request, SOONER[self.name])
        if not 0 < settings.sketch < settings.steps:
            return fine
        # few steps get further when they are longer, if less cleanly
        rate = min(10.0, 2 * settings.rate)
        quick = settings.model_copy(update={"steps": settings.sketch, "rate": rate, "retries": 0, "attempts": 1})
        return tasks_of(SKETCHES, replace(request, parameters=quick), SOONER[SKETCHES]) + fine

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


class SketchesTechnique(FeaturesTechnique):
    """What `features` plans before its own: the same, after few steps and in one try."""

    name = SKETCHES
    title = "Sketches"
    about = "For each channel a quick picture that is shown until the fine one is there."


def tasks_of(name: str, request: technique.Request, priority: int) -> list[Task]:
    """Tasks of `CHUNK` channels each, of the conv layers and heads that are wanted. priority: of first channels."""
    (prior,) = request.required["prior"]
    model, wanted = request.model, request.wanted
    settings = request.parameters.model_dump(exclude={"sketch"})
    layers = [layer for layer in wanted.layers if model.layer(layer).kind.endswith("2d")] + list(wanted.heads)
    return [
        Task(
            name,
            FeaturesTechnique.version,
            model.sha256,
            prior.probe,
            layer,
            piece,
            # a head has one site, its logits
            parameters={**settings, **({"site": "conv"} if layer in wanted.heads else {})},
            needs=(prior.key,),
            # every layer's first channels before any layer's last ones; deep layers, which people
            # look at first, before shallow ones
            priority=priority - 10 * (piece[0] > 0) + (9 * depth) // len(layers),
        )
        for depth, layer in enumerate(layers)
        for piece in wanted.pieces(model.units(layer), CHUNK)
    ]


def followed(target: Target) -> Follow | None:
    """What comes after a conv layer; nothing comes after a head."""
    return None if target.model.card.is_head(target.name) else follows_of(target.model)[target.name]


def given(task: Task, context: technique.Context, target: Target) -> tuple[Prior, Baseline | None]:
    """The prior that a task's pictures begin from, and how the target answers real images, where there are any.

    That was measured before, for pictures of what channels are for at the conv's own output; else it is now."""
    artifact = context.inputs[task.needs[0]]
    prior = Prior.from_arrays(encoding.from_npz(artifact["prior.npz"]))
    if "baseline.npz" not in artifact:
        return prior, None
    if target.site == "conv" and target.rectified >= 0:
        return prior, Baseline.from_array(encoding.from_npz(artifact["baseline.npz"])[target.name])
    return prior, baseline_at(target, some_of(context.probe(), target.model.card.input))
