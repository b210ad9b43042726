"""How well workers are used: two against one, the cost of scheduling, a plan for ResNet-50 on 64 GPUs."""

from __future__ import annotations

import heapq
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.jobs.agenda import Agenda
from analysis.jobs.plan import plan
from analysis.jobs.request import EVERYTHING
from analysis.models.input_spec import InputSpec
from analysis.models.layers import ConvLayer
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard
from analysis.task import Task
from analysis.technique import Wanted
from benchmarks.jobs_runs import PICTURES, Run, ask, runs, stocked, strata

GPUS = 64
LAYERS, CHANNELS = 4, 64


@dataclass(frozen=True)
class Speed:
    """span: seconds from the first picture task's begin to the last one's end · busy: seconds of these tasks ·
    pictures: how many they are · runs: all tasks that ran, of every technique."""

    workers: int
    span: float
    busy: float
    pictures: int
    runs: Sequence[Run]

    @property
    def idle(self) -> float:
        """Share of the workers' time in which no task ran."""
        return 1 - self.busy / (self.workers * self.span)


def build(model: Path, images: Path, workers: int, techniques: Mapping[str, Any], **more: Any) -> Speed:
    """Some layers, by so many workers on this machine; the time that they take to start left out."""
    with tempfile.TemporaryDirectory() as folder:
        library, trace = stocked(Path(folder) / "library", model), Path(folder) / "trace"
        (card,) = library.models()
        layers = [layer.name for layer in card.layers if layer.out_channels >= CHANNELS][-LAYERS:]
        wanted = {"layers": layers, "channels": list(range(CHANNELS)), **more}
        table, job = ask(library, images, techniques, **wanted)
        engine = strata(library, trace, "engine", "--workers", str(workers))
        try:
            while not (row := table.get(job.id)).ended:
                time.sleep(0.2)
        finally:
            engine.terminate()
            engine.wait()
        if row.state != "done":
            raise SystemExit(f"The build {row.state}: {row.error}")
        # the prior is one task that all wait for: of a build of any size it is nothing
        every = [run for run in runs(trace) if run.end is not None]
        done = [run for run in every if run.technique in PICTURES]
        ends = [run.end or run.begin for run in done]
        span = max(ends) - min(run.begin for run in done)
        return Speed(workers, span, sum(end - run.begin for run, end in zip(done, ends, strict=True)), len(done), every)


def durations(ran: Sequence[Run]) -> dict[str, list[float]]:
    """Technique → how long its tasks took, seconds."""
    found: dict[str, list[float]] = {}
    for run in ran:
        if run.end is not None:
            found.setdefault(run.technique, []).append(run.end - run.begin)
    return found


def resnet50() -> tuple[ModelCard, ProbeCard, list[Task]]:
    """torchvision's ResNet-50 (53 conv layers, 26,560 channels), 1,000 images, and the plan of the whole build."""
    import torch
    from torchvision import models

    with torch.device("meta"):
        net = models.resnet50()
    layers = []
    for name, module in net.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            kernel, stride = (module.kernel_size[0],) * 2, (module.stride[0],) * 2
            facts = (module.in_channels, module.out_channels, kernel, stride, (0, 0), (1, 1), 1)
            layers.append(ConvLayer(name, "Conv2d", *facts, module.weight.numel()))
    sha256 = "50" * 32
    name = f"resnet50-{sha256[:8]}"
    card = ModelCard(name, "resnet50", "state dict", "resnet50", "", sha256, InputSpec(), tuple(layers))
    probe = ProbeCard("64" * 16, "simulated", {}, 1000)
    wanted = Wanted(tuple(layer.name for layer in layers))
    return card, probe, plan(card, probe, wanted, {name: {} for name in EVERYTHING})


def simulate(tasks: Sequence[Task], took: Mapping[str, Sequence[float]], workers: int = GPUS, seed: int = 0) -> float:
    """Share of the workers' time in which they are busy, each task taking as long as one of its technique did.

    The agenda decides as in a real build. Raises KeyError for a technique that was not measured.
    """
    chance = random.Random(seed)
    agenda = Agenda(tasks)
    running: list[tuple[float, str]] = []
    now = busy = 0.0
    while agenda.left:
        while len(running) < workers and (task := agenda.take()) is not None:
            seconds = chance.choice(took[task.technique])
            busy += seconds
            heapq.heappush(running, (now + seconds, task.key))
        now, key = heapq.heappop(running)
        agenda.settle(key)
    return busy / (workers * now)
