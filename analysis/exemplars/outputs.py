"""The technique `outputs`: a classifier's outputs as units, and what it answers on the probe."""

from __future__ import annotations

import math

from analysis import encoding, technique
from analysis.exemplars.choose import Candidates, exemplars_of
from analysis.exemplars.cut import exemplar_files
from analysis.exemplars.images import LONGEST_SHEET
from analysis.exemplars.technique import ExemplarParameters
from analysis.statistics.predictions import Answers, confusion_table, prediction_facts
from analysis.statistics.technique import ANSWERS, file_of, merged_state, statistics_files
from analysis.task import Task
from analysis.unit import HEAD


class Outputs(technique.Technique):
    name = "outputs"
    title = "Outputs"
    about = "What a classifier answers on the images: its accuracy, what it confuses, the best images of each class."
    requires = ("measure",)
    Parameters = ExemplarParameters

    def plan(self, request: technique.Request) -> list[Task]:
        shards = request.required["measure"]
        if request.probe is None or not shards:
            return []
        needs = tuple(shard.key for shard in shards)
        facts = request.parameters.model_dump()
        return [
            Task(
                self.name,
                self.version,
                request.model.sha256,
                request.probe.hash,
                parameters=facts,
                needs=needs,
                priority=93,
            )
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        """predictions.json always; for a classifier confusion.parquet, answers.npz, and the statistics and exemplars
        of its outputs, a unit a class, in the files and columns of a layer's."""
        parts = [context.inputs[key] for key in task.needs]
        if ANSWERS not in parts[0]:
            needs = "a classifier: this model does not return one number a class"
            return {"predictions.json": encoding.to_json({"accuracy": None, "needs": needs})}
        probe, settings = context.probe(), task.parameters
        classes = probe.card.classes
        answers = Answers.join([encoding.from_npz(part[ANSWERS]) for part in parts])
        state = merged_state(file_of((), HEAD), parts)
        candidates = Candidates(state.highest, state.lowest, state.drawn)
        kinds = settings["top"], settings["median"], settings["least"]
        found = [each for unit in range(answers.outputs) for each in exemplars_of(candidates, unit, *kinds)]
        context.report(0.5)
        tile = min(settings["tile"], LONGEST_SHEET // math.ceil(math.sqrt(max(len(found), 1))))
        return {
            "predictions.json": encoding.to_json(prediction_facts(answers, classes)),
            "confusion.parquet": encoding.to_parquet(confusion_table(answers, classes)),
            "answers.npz": encoding.to_npz(answers.arrays()),
            **statistics_files(state, classes),
            **exemplar_files(found, None, probe, context.model().card.input, tile, sum(kinds)),
        }
