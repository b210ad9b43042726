"""Pictures beyond one a channel: of any objective, of a class, several faces of a channel, and where one acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features.baseline import Baseline
from analysis.features.canvas import Canvas
from analysis.features.goals import ChannelGoal, Goal, ObjectiveGoal
from analysis.features.loop import ascend, counted, shown
from analysis.features.objectives import Objective, channel
from analysis.features.parameters import Parameters
from analysis.features.pooling import rectifies
from analysis.features.prior import Prior
from analysis.features.render import batch_of, canvas_of, generator_of, pixel_noise
from analysis.features.size import View, device_of, view_of
from analysis.models.capture import run_to
from analysis.models.model import Model

Report = Callable[[float], None]


def render_objectives(
    model: Model,
    objectives: Sequence[Objective],
    prior: Prior,
    parameters: Parameters,
    *,
    layer: str | None = None,
    report: Report = lambda fraction: None,
) -> Tensor:
    """One picture an objective, [N, C, H, W] in [0, 1]; of a layer's map or, without `layer`, of the model's output.

    Raises StrataError for a model whose output is not one tensor.
    """
    spec = model.card.input
    view = view_of(model, layer, parameters.size) if layer else View(spec.height, spec.width, 0, 0, 0.0)
    read = (lambda pictures: run_to(model, pictures, layer)) if layer else (lambda pictures: head(model, pictures))
    goal, count = ObjectiveGoal(objectives), len(objectives)
    return _climb(
        model, read, goal, view, prior, parameters, count=count, batch=None, name=layer or "output", report=report
    )


def render_classes(
    model: Model, classes: Sequence[int], prior: Prior, parameters: Parameters, report: Report = lambda fraction: None
) -> Tensor:
    """What the model takes for each class: pictures of its logits, [N, C, H, W] in [0, 1]."""
    return render_objectives(model, [channel(index) for index in classes], prior, parameters, report=report)


def render_faces(
    model: Model,
    layer: str,
    index: int,
    count: int,
    prior: Prior,
    parameters: Parameters,
    *,
    baseline: Baseline | None = None,
    diversity: float = 1.0,
    report: Report = lambda fraction: None,
) -> Tensor:
    """`count` pictures of one channel that differ as much as they can, [count, C, H, W]: a channel of many meanings
    shows them. They are made together and depend on each other, on `count` and on the seed, on nothing else."""
    one = ChannelGoal(
        torch.tensor([index]),
        -1.0 if parameters.negative else 1.0,
        rectifies(model.card.layer(layer)),
        baseline,
        parameters.distinct,
    )
    together = parameters.model_copy(update={"patience": max(parameters.patience, parameters.steps)})
    return _climb(
        model,
        lambda pictures: run_to(model, pictures, layer),
        DiverseGoal(one, diversity),
        view_of(model, layer, parameters.size),
        prior,
        together,
        count=count,
        batch=count,
        name=f"{layer}:{index}",
        report=report,
    )


@dataclass(frozen=True)
class DiverseGoal:
    """Rows after one and the same goal, and away from each other: less `weight` times the mean cosine between the
    Gram matrices of their maps (Olah, Mordvintsev, Schubert 2017, Feature Visualization, "Diversity"), in units of
    the score so that the weight means the same for every layer."""

    goal: ChannelGoal
    weight: float

    def scores(self, maps: Tensor, units: Sequence[int]) -> Tensor:
        own = self.goal.scores(maps, [0] * len(maps))
        if len(maps) < 2:
            return own
        flat = maps.flatten(2)
        gram = functional.normalize((flat @ flat.transpose(1, 2)).flatten(1), dim=1)
        alike = gram @ gram.T
        others = (alike.sum(1) - alike.diagonal()) / (len(maps) - 1)
        return own - self.weight * own.detach().abs() * others


def attribution(model: Model, layer: str, channels: Sequence[int], pictures: Tensor, view: View) -> Tensor:
    """Which part of each picture moves its channel, [N, 1, H, W] in [0, 1]: the strength of the gradient, blurred.

    Fit for an alpha plane: what the channel does not look at fades.
    """
    planes = []
    for picture, index in zip(pictures.split(1), channels, strict=True):
        leaf = picture.detach().clone().requires_grad_()
        maps = counted(run_to(model, shown(leaf, view), layer), view)
        (gradient,) = torch.autograd.grad(maps[:, index].relu().square().mean() + maps[:, index].mean(), leaf)
        strength = gradient.nan_to_num(0.0, 0.0, 0.0).square().sum(1, keepdim=True).sqrt()
        reach = max(1, min(picture.shape[-2:]) // 16)
        smooth = functional.avg_pool2d(functional.pad(strength, (reach,) * 4, mode="reflect"), 2 * reach + 1, 1)
        planes.append(smooth / smooth.amax().clamp_min(1e-20))
    return torch.cat(planes)


def head(model: Model, pictures: Tensor) -> Tensor:
    """The model's output as a map, [N, K, h, w] (1 × 1 where it has no place). StrataError if it is no tensor."""
    output = model(pictures)
    if not isinstance(output, Tensor) or output.dim() < 2:
        raise StrataError(
            f"{model.card.name} does not answer with one tensor of classes. Choose one of its layers instead."
        )
    return output if output.dim() == 4 else output.view(*output.shape[:2], -1, 1)


def _climb(
    model: Model,
    read: Callable[[Tensor], Tensor],
    goal: Goal,
    view: View,
    prior: Prior,
    parameters: Parameters,
    *,
    count: int,
    batch: int | None,
    name: str,
    report: Report,
) -> Tensor:
    canvas: Canvas = canvas_of(prior, view, parameters, device_of(model))
    made = ascend(
        read,
        canvas,
        goal,
        view,
        count=count,
        chance=lambda unit: generator_of(name, unit, parameters.seed),
        batch=batch or parameters.batch or batch_of(view),
        noise=pixel_noise(model.card.input),
        parameters=parameters,
        report=report,
    )
    with torch.no_grad():
        return canvas.picture(made.waves).cpu()
