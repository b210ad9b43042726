"""The technique `weights`: what a layer's weights tell, and pictures of its kernels where they can be seen."""

from __future__ import annotations

import math

import numpy as np

from analysis import encoding, technique
from analysis.models.errors import OnlyWeights
from analysis.statistics.follow import Follow
from analysis.statistics.following import follows_of
from analysis.statistics.technique import NoParameters
from analysis.statistics.weights import filters_in, filters_of, kernel_tiles, weights_facts, weights_table
from analysis.task import Task

TILE = 48
"""Side of a kernel's picture, px."""


class Weights(technique.Technique):
    name = "weights"
    version = 2
    title = "Weights"
    about = "What the weights alone tell: norms, copies, whether the layer looks trained. Needs no images."
    Parameters = NoParameters

    def plan(self, request: technique.Request) -> list[Task]:
        return [
            Task(
                self.name,
                self.version,
                request.model.sha256,
                layer=layer,
                parameters={"groups": request.model.layer(layer).groups},
                priority=98,
            )
            for layer in request.wanted.layers
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        """weights.parquet and layer.json; kernels.webp and facts.json (tile, columns) where kernels have a picture."""
        assert task.layer is not None
        try:
            model = context.model()
            filters, follow = filters_of(model, task.layer), follows_of(model)[task.layer]
            order = model.card.input.order if model.calls[0] == task.layer else "RGB"
        except OnlyWeights as only:
            # nothing runs these weights, so what follows a layer is not known, nor what order its colours have
            filters, order = filters_in(only.state, task.layer, task.parameters["groups"]), "RGB"
            follow = Follow(np.ones(len(filters.bias), np.float32), np.zeros(len(filters.bias), np.float32))
        table = weights_table(filters, follow)
        tiles = kernel_tiles(filters.weights, order, TILE)
        files = {
            "weights.parquet": encoding.to_parquet(table),
            "layer.json": encoding.to_json(weights_facts(filters)),
        }
        if tiles:
            columns = math.ceil(math.sqrt(len(tiles)))
            files["kernels.webp"] = encoding.to_picture(encoding.sheet(tiles, columns), quality=95)
            files["facts.json"] = encoding.to_json({"tile": TILE, "columns": columns})
        return files
