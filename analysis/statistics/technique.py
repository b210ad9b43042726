"""`measure`: one pass over the probe, cut into shards. `statistics`: the shards of a layer joined into its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from analysis import encoding, technique
from analysis.statistics.layer_state import LayerState, Settings
from analysis.statistics.table import statistics_table
from analysis.task import Task

if TYPE_CHECKING:
    from analysis.models.model import ModelCard
    from analysis.probe.probe import ProbeCard


class MeasureParameters(technique.Parameters):
    shard: int = Field(128, ge=1, le=4096, description="Images a task.")
    keep: int = Field(16, ge=1, le=64, description="Exemplars kept a channel, of the strongest and of the weakest.")
    width: int = Field(256, ge=0, le=2048, description="Channels up to which a layer's covariances are measured.")


class Measure(technique.Technique):
    name = "measure"
    title = "Measurement"
    about = "One pass over the images that measures every channel of every layer."
    Parameters = MeasureParameters

    def plan(
        self,
        model: ModelCard,
        probe: ProbeCard | None,
        wanted: technique.Wanted,
        parameters: Any,
        required: Mapping[str, Sequence[Task]],
    ) -> list[Task]:
        if probe is None:
            return []
        facts = {
            "layers": [layer.name for layer in model.layers],
            "input": {name: value for name, value in model.input.to_json().items() if name != "evidence"},
            "keep": parameters.keep,
            "width": parameters.width,
        }
        starts = range(0, probe.count, parameters.shard)
        return [
            Task(
                self.name,
                self.version,
                model.sha256,
                probe.hash,
                part=(start, min(start + parameters.shard, probe.count)),
                parameters=facts,
                priority=100,
            )
            for start in starts
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        from analysis.statistics.following import follows_of
        from analysis.statistics.pass_over import measure

        assert task.part is not None
        model, probe = context.model(), context.probe()
        layers = task.parameters["layers"]
        settings = Settings(task.parameters["keep"], task.parameters["width"])
        states = measure(model, probe, range(*task.part), layers, follows_of(model), settings, context.report)
        return {file_of(layers, layer): encoding.to_npz(state.arrays()) for layer, state in states.items()}


def file_of(layers: Sequence[str], layer: str) -> str:
    """The file of a `measure` artifact that holds a layer's accumulators (layer names may hold slashes)."""
    return f"{layers.index(layer):04d}.npz"


def merged_state(file: str, shards: Sequence[technique.Artifact]) -> LayerState:
    """All shards of one layer, read one after the other and joined: one in memory at a time."""
    state = LayerState.from_arrays(encoding.from_npz(shards[0][file]))
    for shard in shards[1:]:
        state.merge(LayerState.from_arrays(encoding.from_npz(shard[file])))
    return state


class StatisticsParameters(technique.Parameters):
    """Nothing to set: what is measured is what there is."""


class Statistics(technique.Technique):
    name = "statistics"
    title = "Statistics"
    about = "How each channel behaves on the images: mean, spread, quantiles, silence, extremes."
    requires = ("measure",)
    Parameters = StatisticsParameters

    def plan(
        self,
        model: ModelCard,
        probe: ProbeCard | None,
        wanted: technique.Wanted,
        parameters: Any,
        required: Mapping[str, Sequence[Task]],
    ) -> list[Task]:
        shards = required["measure"]
        if probe is None or not shards:
            return []
        return [
            Task(
                self.name,
                self.version,
                model.sha256,
                probe.hash,
                layer,
                parameters={"file": file_of(shards[0].parameters["layers"], layer)},
                needs=tuple(shard.key for shard in shards),
                priority=95,
            )
            for layer in wanted.layers
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        state = merged_state(task.parameters["file"], [context.inputs[key] for key in task.needs])
        context.report(1.0)
        return {"statistics.parquet": encoding.to_parquet(statistics_table(state))}
