"""`measure`: one pass over the probe, cut into shards. `statistics`: the shards of a layer joined into its table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from analysis import encoding, technique
from analysis.statistics.by_class import driving_classes, selectivity
from analysis.statistics.layer_facts import layer_facts
from analysis.statistics.layer_state import LayerState, Settings
from analysis.statistics.pass_over import measure
from analysis.statistics.structure import structure_of
from analysis.statistics.table import statistics_table
from analysis.task import Task

ANSWERS = "answers.npz"


class MeasureParameters(technique.Parameters):
    shard: int = Field(128, ge=1, le=4096, description="Images a task.")
    keep: int = Field(16, ge=1, le=64, description="Exemplars kept a channel, of the strongest and of the weakest.")
    width: int = Field(
        256,
        ge=0,
        le=2048,
        description="Channels up to which all of a layer's covariances are measured, sketched above.",
    )


class Measure(technique.Technique):
    name = "measure"
    version = 5
    on_device = True
    title = "Measurement"
    about = "One pass over the images that measures every channel of every layer."
    Parameters = MeasureParameters

    def plan(self, request: technique.Request) -> list[Task]:
        """All layers whatever is wanted: one pass costs little more, and what is wanted later is there already."""
        if request.probe is None:
            return []
        facts = {
            "layers": [layer.name for layer in request.model.layers],
            "input": request.model.input.values(),
            "keep": request.parameters.keep,
            "width": request.parameters.width,
        }
        starts = range(0, request.probe.count, request.parameters.shard)
        parts = [(start, min(start + request.parameters.shard, request.probe.count)) for start in starts]
        return [
            self.task(
                request,
                part=part,
                parameters=facts,
                priority=100,
                intermediate=True,
            )
            for part in parts
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        from analysis.statistics.following import follows_of

        assert task.part is not None
        model, probe = context.model(), context.probe()
        layers = task.parameters["layers"]
        settings = Settings(task.parameters["keep"], task.parameters["width"])
        measured = measure(model, probe, range(*task.part), layers, follows_of(model), settings, context.report)
        files = {file_of(layers, layer): encoding.to_npz(state.arrays()) for layer, state in measured.layers.items()}
        return files | ({ANSWERS: encoding.to_npz(measured.answers.arrays())} if measured.answers else {})


def file_of(layers: Sequence[str], layer: str) -> str:
    """The file of a `measure` artifact that holds a layer's accumulators (layer names may hold slashes)."""
    return f"{layers.index(layer):04d}.npz" if layer in layers else f"{layer}.npz"


def merged_state(file: str, shards: Sequence[technique.Artifact]) -> LayerState:
    """All shards of one layer, read one after the other and joined: one in memory at a time."""
    state = LayerState.from_arrays(encoding.from_npz(shards[0][file]))
    for shard in shards[1:]:
        state.merge(LayerState.from_arrays(encoding.from_npz(shard[file])))
    return state


class NoParameters(technique.Parameters):
    """Nothing to set: what is measured is what there is."""


class Statistics(technique.Technique):
    name = "statistics"
    version = 3
    title = "Statistics"
    about = "How each channel behaves on the images: mean, spread, quantiles, silence, extremes, classes."
    requires = ("measure",)
    Parameters = NoParameters

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
                parameters={"file": file_of(layers, layer)},
                needs=needs,
                priority=95,
            )
            for layer in request.wanted.layers
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        state = merged_state(task.parameters["file"], [context.inputs[key] for key in task.needs])
        context.report(0.5)
        return statistics_files(state, context.probe().card.classes)


def statistics_files(state: LayerState, classes: tuple[str, ...]) -> dict[str, bytes]:
    """The files of a layer's statistics: its table, its facts, and the class means [K, C] whole."""
    structure = structure_of(state)
    table = statistics_table(state)
    labels, means = state.classes.means()
    table["selectivity"] = selectivity(means)
    if len(labels):
        table["classes"], table["class_means"] = driving_classes(state.classes, classes)
    table["twin"] = structure.twin if structure else -1
    table["twin_correlation"] = structure.correlation if structure else np.nan
    return {
        "statistics.parquet": encoding.to_parquet(table),
        "layer.json": encoding.to_json(layer_facts(state, structure)),
        "classes.npz": encoding.to_npz({"labels": labels, "means": means.astype(np.float32)}),
    }
