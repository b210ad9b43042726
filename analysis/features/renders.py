"""Renders: pictures of one unit that somebody asked for, as a technique of an atlas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from analysis import encoding, technique
from analysis.features.climb import DRIVEN, PRIOR, Rendered, canvas_of
from analysis.features.files import evidence, in_three_colors, picture_files, planes_of
from analysis.features.parameters import PortraitParameters
from analysis.features.portrait import attribution, number_of, portrait
from analysis.features.prior import Prior
from analysis.features.prior_technique import some_of
from analysis.features.recipe import first_recipe
from analysis.features.target import Target, target_of
from analysis.features.technique import followed, given
from analysis.features.twin import ALIKE, random_twin, share_of_twin
from analysis.task import Task


class RendersTechnique(technique.Technique):
    name = "renders"
    version = 2
    title = "Renders"
    about = "One channel or class looked at closely: its faces, its opposite, where it looks."
    requires = ("prior",)
    Parameters = PortraitParameters

    def plan(self, request: technique.Request) -> list[Task]:
        """A task a unit."""
        (prior,) = request.required["prior"]
        model, wanted = request.model, request.wanted
        settings = request.parameters.model_dump(mode="json")
        return [
            Task(
                self.name,
                self.version,
                model.sha256,
                prior.probe,
                layer,
                (channel, channel + 1),
                parameters=settings,
                needs=(prior.key,),
            )
            for layer in (*wanted.layers, *wanted.heads)
            for channel in wanted.channels_of(model.units(layer))
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.layer is not None
        assert task.channels is not None
        parameters = PortraitParameters.model_validate(dict(task.parameters))
        model, channel = context.model(), task.channels[0]
        target = target_of(model, task.layer, parameters)
        prior, baseline = given(task, context, target)
        made = portrait(model, task.layer, channel, prior, parameters, baseline=baseline, report=context.report)
        faces = [f"face-{number}" for number in range(parameters.faces)]
        number, real = number_of(target, channel, parameters, baseline), None
        if baseline is not None and not parameters.of_channel:
            images = some_of(context.probe(), model.card.input)
            with torch.no_grad():
                real = torch.cat([number(target.read(part)) for part in images.split(16)]).cpu()
        # whether a channel is active says nothing of a mixture or an energy
        follow = followed(target) if parameters.goal != "energy" and not parameters.mix else None
        table = evidence(made, parameters, baseline, follow, real).assign(face=range(len(faces)))
        files: dict[str, bytes] = {}
        if parameters.twin:
            table["twin"], drawn = _twin(target, channel, prior, parameters, made, number)
            table.loc[(table["state"] == DRIVEN) & (table["twin"] >= ALIKE), "state"] = PRIOR
            files["twin.webp"] = encoding.to_picture(in_three_colors(drawn), quality=90)
        files["renders.parquet"] = encoding.to_parquet(table)
        alphas = attribution(target, made.channels, made.pictures)
        for face, picture, alpha in zip(faces, made.pictures, alphas, strict=True):
            shown = in_three_colors(picture)
            opacity = encoding.to_pixels(alpha.numpy())[..., :1]
            files |= picture_files(face, picture, shown)
            files[f"{face}-alpha.webp"] = encoding.to_picture(np.concatenate([shown, opacity], 2), quality=90)
        height, width = made.pictures.shape[-2:]
        facts = {"faces": len(faces), "width": width, "height": height, "planes": planes_of(made.pictures)}
        return {**files, "facts.json": encoding.to_json(facts)}


def _twin(
    target: Target,
    channel: int,
    prior: Prior,
    parameters: PortraitParameters,
    made: Rendered,
    number: Callable[[Tensor], Tensor],
) -> tuple[list[float], Tensor]:
    """How far the random twin's picture drives what was asked for beside each face, and that picture [C, H, W]."""
    one = parameters.model_copy(update={"faces": 1})
    drawn = portrait(random_twin(target.model), target.name, channel, prior, one).pictures
    canvas = canvas_of(prior, target.view, first_recipe(parameters, target.view, target.stem))
    shares = [share_of_twin(target, canvas, number, face[None], drawn) for face in made.pictures]
    return shares, drawn[0]
