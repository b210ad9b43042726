"""The technique `circuits`: the strongest wires between each channel and those of the layers before and after it."""

from __future__ import annotations

from pydantic import Field

from analysis import encoding, technique
from analysis.circuits.table import circuits_facts, circuits_table
from analysis.models.wiring import wiring_of
from analysis.statistics.following import follows_of
from analysis.task import Task


class CircuitsParameters(technique.Parameters):
    most: int = Field(12, ge=1, le=64, description="Wires kept a channel, of those that come in and of those that go.")


class Circuits(technique.Technique):
    name = "circuits"
    title = "Circuits"
    about = "Which channels of other layers excite or inhibit each channel, and which it excites or inhibits."
    Parameters = CircuitsParameters

    def plan(self, request: technique.Request) -> list[Task]:
        """Needs no images. All channels of a layer whatever is wanted: the weights are read at once."""
        if request.model.weights_only:
            return []
        facts = request.parameters.model_dump()
        return [
            Task(self.name, self.version, request.model.sha256, layer=layer, parameters=facts, priority=97)
            for layer in (*request.wanted.layers, *request.wanted.heads)
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        """circuits.parquet and layer.json."""
        assert task.layer is not None
        model = context.model()
        wiring = wiring_of(model)
        gains = {layer: follow.scale for layer, follow in follows_of(model).items()}
        table = circuits_table(wiring, task.layer, gains, task.parameters["most"])
        return {
            "circuits.parquet": encoding.to_parquet(table),
            "layer.json": encoding.to_json(circuits_facts(wiring, task.layer)),
        }
