"""The technique `exemplars`: the images and patches that stand for each channel."""

from __future__ import annotations

from pydantic import Field

from analysis import technique
from analysis.exemplars.choose import Candidates, exemplars_of
from analysis.exemplars.cut import exemplar_files
from analysis.statistics.technique import file_of
from analysis.task import Task

CHUNK = 64
"""Channels a task."""


class ExemplarParameters(technique.Parameters):
    top: int = Field(9, ge=1, le=64, description="Strongest images a channel.")
    median: int = Field(3, ge=0, le=16, description="Images a channel that excite it like most do.")
    least: int = Field(3, ge=0, le=64, description="Weakest images a channel.")
    tile: int = Field(96, ge=16, le=256, description="Side of a patch on the sheet, px.")


class Exemplars(technique.Technique):
    name = "exemplars"
    title = "Exemplars"
    about = "For each channel, the real images that excite it most, and the patch of each that does."
    requires = ("measure",)
    Parameters = ExemplarParameters

    def plan(self, request: technique.Request) -> list[Task]:
        shards = request.required["measure"]
        if request.probe is None or not shards:
            return []
        needs = tuple(shard.key for shard in shards)
        layers = shards[0].parameters["layers"]
        return [
            self.task(
                request,
                layer,
                channels=channels,
                parameters={**request.parameters.model_dump(), "file": file_of(layers, layer)},
                needs=needs,
                priority=92,
            )
            for layer in request.wanted.layers
            for channels in request.wanted.pieces(request.model.layer(layer).out_channels, CHUNK)
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.layer is not None
        assert task.channels is not None
        settings, card = task.parameters, context.model().card
        kinds = settings["top"], settings["median"], settings["least"]
        candidates = Candidates.from_shards(settings["file"], [context.inputs[key] for key in task.needs])
        found = [each for channel in range(*task.channels) for each in exemplars_of(candidates, channel, *kinds)]
        context.report(0.3)
        layer = card.layer(task.layer)
        return exemplar_files(found, layer, context.probe(), card.input, settings["tile"], sum(kinds))
