"""What the same net draws before it has learned anything: some channels of every layer, with random weights.

A hierarchy from fine to coarse is in part the architecture's, and the prior's: what pictures of a random twin show as
well was not learned.
"""

from __future__ import annotations

from dataclasses import replace

from analysis import encoding, technique
from analysis.features.files import evidence, sheet_files
from analysis.features.parameters import Parameters
from analysis.features.prior import Prior
from analysis.features.render import render
from analysis.features.technique import FeaturesTechnique, tasks_of
from analysis.features.twin import random_twin
from analysis.task import Task

CHANNELS = 8
"""Of each layer. Random channels are alike: the first are as good as any."""
PRIORITY = 20


class TwinsTechnique(FeaturesTechnique):
    """Files and table are those of `features`; nothing is compared with real images."""

    name = "twins"
    title = "Random twin"
    about = "Pictures of the same net with random weights, to tell what was learned from what was there before."
    on_device = False

    def plan(self, request: technique.Request) -> list[Task]:
        once = request.parameters.model_copy(update={"retries": 0, "attempts": 1})
        some = replace(request.wanted, channels=tuple(range(CHANNELS)), heads=())
        return tasks_of(self.name, replace(request, parameters=once, wanted=some), PRIORITY)

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        assert task.layer is not None
        assert task.channels is not None
        parameters = Parameters.model_validate(dict(task.parameters))
        prior = Prior.from_arrays(encoding.from_npz(context.inputs[task.needs[0]]["prior.npz"]))
        twin = random_twin(context.model(), parameters.seed)
        made = render(twin, task.layer, range(*task.channels), prior, parameters, report=context.report)
        return sheet_files(made, evidence(made, parameters, None, None))
