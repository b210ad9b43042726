"""The prior of a probe as a technique: one task, which all pictures of an atlas read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from analysis import encoding, technique
from analysis.features.baseline import baselines
from analysis.features.prior import FEWEST, prior_of, prior_without_images
from analysis.task import Task

if TYPE_CHECKING:
    from analysis.models.input_spec import InputSpec
    from analysis.probe.probe import Probe

IMAGES = 256
"""Of a probe, evenly spaced: enough for a spectrum, and for a scale to judge pictures on."""


class PriorParameters(technique.Parameters):
    """The prior has nothing to set: images decide."""


class PriorTechnique(technique.Technique):
    name = "prior"
    version = 3
    title = "Prior"
    about = "How strong each frequency is in the probe's images, which colours go together, how channels answer them."
    Parameters = PriorParameters

    def plan(self, request: technique.Request) -> list[Task]:
        known = request.probe.hash if request.probe and request.probe.count >= FEWEST else None
        # all pictures need a prior, so what was drawn for an input that was corrected since is drawn again
        facts = {"input": request.model.input.values()}
        return [Task(self.name, self.version, request.model.sha256, known, parameters=facts, priority=90)]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        spec = context.model().card.input
        if task.probe is None:
            prior = prior_without_images(spec.channels, spec.height, spec.width)
            return {"prior.npz": encoding.to_npz(prior.to_arrays())}
        images = some_of(context.probe(), spec)
        found = baselines(context.model(), images, context.report)
        return {
            "prior.npz": encoding.to_npz(prior_of(images).to_arrays()),
            "baseline.npz": encoding.to_npz({layer: baseline.to_array() for layer, baseline in found.items()}),
        }


def some_of(probe: Probe, spec: InputSpec) -> Tensor:
    """[N ≤ IMAGES, C, H, W] in [0, 1]."""
    count = min(IMAGES, probe.card.count)
    return probe.batch(np.linspace(0, probe.card.count - 1, count).astype(int).tolist(), spec)
