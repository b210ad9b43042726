"""The technique `outputs`: the classes of each head as units, and what a classifier answers on the probe."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
        heads: list[str | None] = [head for head in request.model.heads if head != HEAD]
        return [
            self.task(
                request,
                head,
                parameters=facts,
                needs=needs,
                priority=93,
            )
            for head in heads or [None]
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        """predictions.json always; of each head the statistics and exemplars of its outputs, a unit a class, in the
        files and columns of a layer's; for a classifier confusion.parquet and answers.npz."""
        parts = [context.inputs[key] for key in task.needs]
        head = task.layer or HEAD
        if file_of((), head) not in parts[0]:
            return _unsaid("a classifier: this model does not return one number a class")
        probe, settings = context.probe(), task.parameters
        classes = probe.card.classes
        state = merged_state(file_of((), head), parts)
        candidates = Candidates(state.highest, state.lowest, state.drawn)
        kinds = settings["top"], settings["median"], settings["least"]
        found = [each for unit in range(len(state.follow.scale)) for each in exemplars_of(candidates, unit, *kinds)]
        context.report(0.5)
        tile = min(settings["tile"], LONGEST_SHEET // math.ceil(math.sqrt(max(len(found), 1))))
        several = "one output: this model has several, and which of them the labels mean is not known"
        return {
            **(_said(parts, classes) if head == HEAD else _unsaid(several)),
            **statistics_files(state, classes),
            **exemplar_files(found, None, probe, context.model().card.input, tile, sum(kinds)),
        }


def _said(parts: Sequence[technique.Artifact], classes: tuple[str, ...]) -> dict[str, bytes]:
    answers = Answers.join([encoding.from_npz(part[ANSWERS]) for part in parts])
    return {
        "predictions.json": encoding.to_json(prediction_facts(answers, classes)),
        "confusion.parquet": encoding.to_parquet(confusion_table(answers, classes)),
        "answers.npz": encoding.to_npz(answers.arrays()),
    }


def _unsaid(needs: str) -> dict[str, bytes]:
    return {"predictions.json": encoding.to_json({"accuracy": None, "needs": needs})}
