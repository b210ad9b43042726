"""The contract of a technique: one way to look at the units of a model.

A technique describes itself. The command line's options, the dashboard's forms and the cache key all come from
`Parameters`; the planner asks `plan` for its tasks, a worker calls `run` for each. Adding a technique is one new
file and one line in analysis/techniques.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from analysis.task import Task

if TYPE_CHECKING:
    from analysis.models.model import Model, ModelCard
    from analysis.probe.probe import Probe, ProbeCard

Artifact = Mapping[str, bytes]
"""What a task makes: file name → content. Encoded with analysis.encoding, written by the atlas store alone."""


class Parameters(BaseModel):
    """What a person may set of a technique: each field with a default, bounds and a description (pydantic `Field`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Wanted:
    """What of a model is asked for: conv layers and heads by name, channels (None: all), in the order of the model."""

    layers: tuple[str, ...]
    channels: tuple[int, ...] | None = None
    heads: tuple[str, ...] = ()

    def channels_of(self, out_channels: int) -> tuple[int, ...]:
        """The wanted channels that a layer of `out_channels` has."""
        if self.channels is None:
            return tuple(range(out_channels))
        return tuple(channel for channel in self.channels if channel < out_channels)

    def pieces(self, out_channels: int, longest: int) -> list[tuple[int, int]]:
        """The wanted channels of a layer as half-open ranges, none longer than `longest` or across its multiples,
        so that asking for fewer channels gives the same tasks where they overlap whole pieces."""
        pieces: list[tuple[int, int]] = []
        for channel in sorted(set(self.channels_of(out_channels))):
            if pieces and pieces[-1][1] == channel and channel % longest:
                pieces[-1] = (pieces[-1][0], channel + 1)
            else:
                pieces.append((channel, channel + 1))
        return pieces


@dataclass(frozen=True)
class Request:
    """What a technique is asked to plan.

    model, probe : the cards of the model and of the images; None where there are no images
    wanted       : layers and channels
    parameters   : an instance of the technique's own `Parameters`
    required     : the already planned tasks of the techniques it requires, by technique
    """

    model: ModelCard
    probe: ProbeCard | None
    wanted: Wanted
    parameters: Any
    required: Mapping[str, Sequence[Task]] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a task may use while it runs.

    model, probe : open, lazily and once a process, the model and the images
    inputs       : the artifacts of the tasks it needs, by key, in the order of `Task.needs`
    report       : say how far the task is, 0 … 1; raises Cancelled when nobody wants it any more
    """

    model: Callable[[], Model]
    probe: Callable[[], Probe]
    inputs: Mapping[str, Artifact]
    report: Callable[[float], None] = lambda fraction: None


class Cancelled(Exception):
    """Raised inside a task by `Context.report` when its job was cancelled."""


class Technique(ABC):
    name: ClassVar[str]
    version: ClassVar[int] = 1
    title: ClassVar[str]
    about: ClassVar[str]
    """One sentence for people."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Techniques whose tasks this one's tasks read."""
    on_device: ClassVar[bool] = False
    """Whether its tasks run the net wherever it lies; others are given it on the processor."""
    Parameters: ClassVar[type[Parameters]]

    def task(self, request: Request, layer: str | None = None, **what: Any) -> Task:
        """A task of this technique over the request's model and images; `what`: the other fields of Task."""
        probe = None if request.probe is None else request.probe.hash
        return Task(self.name, self.version, request.model.sha256, probe, layer, **what)

    @abstractmethod
    def plan(self, request: Request) -> list[Task]:
        """The tasks that make it."""

    @abstractmethod
    def run(self, task: Task, context: Context) -> Artifact:
        """Do one task. Deterministic: the same task gives the same bytes on one machine."""
