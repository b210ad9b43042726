"""One unit looked at closely: several faces, its opposite, one neuron, a mixture of channels, and where it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features import objectives
from analysis.features.baseline import Baseline
from analysis.features.climb import Rendered, Report, climb
from analysis.features.goals import ChannelGoal, DiverseGoal, Goal, ObjectiveGoal
from analysis.features.objectives import Objective
from analysis.features.parameters import PortraitParameters
from analysis.features.pooling import pooled
from analysis.features.prior import Prior
from analysis.features.recipe import first_recipe
from analysis.features.render import render
from analysis.features.target import Target, counted, shown, target_of
from analysis.models.model import Model


def portrait(
    model: Model,
    layer: str,
    channel: int,
    prior: Prior,
    parameters: PortraitParameters,
    *,
    baseline: Baseline | None = None,
    report: Report = lambda fraction: None,
) -> Rendered:
    """`parameters.faces` pictures of one unit; every entry of `channels` is that unit.

    One face of a channel is made as by `render`, with all its tries. Several are made together and depend on each
    other, on their number and on the seed, on nothing else. Their `activation` is `number_of` what is asked for. Raises
    StrataError for what the model does not have, and for parameters that would do nothing.
    """
    target = target_of(model, layer, parameters)
    for each in (channel, *parameters.mix):
        if not 0 <= each < target.units:
            raise StrataError(f"{layer} has channels 0 to {target.units - 1}, not {each}. Choose one of them.")
    goal, faces = goal_of(target, channel, parameters, baseline), parameters.faces
    if parameters.of_channel and faces == 1:
        alone = parameters.model_copy(update={"batch": parameters.batch or 1})
        return render(model, layer, [channel], prior, alone, baseline=baseline, report=report)
    for name, given in (("attempts", parameters.attempts > 1), ("batch", parameters.batch is not None)):
        if given:
            raise StrataError(f"Faces, neurons, mixtures and energies are drawn once and together. Leave {name} out.")
    recipe = first_recipe(parameters, target.view, target.stem)
    if faces > 1:
        goal = DiverseGoal(goal, parameters.diversity)
        # none may leave the batch before the others: they would not be pushed away from it any more
        recipe = replace(recipe, patience=max(recipe.patience, recipe.steps))
    made = climb(
        target,
        goal,
        [channel] * faces,
        prior,
        recipe,
        seeds=range(parameters.seed, parameters.seed + faces),
        batch=faces,
        report=report,
    )
    if not parameters.of_channel:
        number = number_of(target, channel, parameters, baseline)
        with torch.no_grad():
            reached = torch.cat([number(target.maps(face)) for face in made.pictures.to(model.device).split(1)])
        made = replace(made, activation=reached.cpu())
    return replace(made, deviation=made.activation.std().expand(faces)) if faces > 1 else made


def goal_of(target: Target, channel: int, parameters: PortraitParameters, baseline: Baseline | None) -> Goal:
    """What the parameters ask for, for every face alike."""
    sign, faces = parameters.sign, parameters.faces
    if parameters.of_channel:
        wanted = torch.tensor([channel] * faces)
        return ChannelGoal(wanted, sign, target.rectified, baseline, parameters.distinct)
    wish = _wish(target, channel, parameters, baseline)
    return ObjectiveGoal([objectives.weighted([(sign, wish)])] * faces)


def number_of(
    target: Target, channel: int, parameters: PortraitParameters, baseline: Baseline | None
) -> Callable[[Tensor], Tensor]:
    """What is asked for as a number, whichever the sign: maps of pictures or images, [N, K, h, w] → [N]."""
    if parameters.of_channel:
        return lambda maps: pooled(maps, target.rectified)[:, channel]
    wish = _wish(target, channel, parameters, baseline)
    return lambda maps: torch.stack([wish(each) for each in maps])


def _wish(target: Target, channel: int, parameters: PortraitParameters, baseline: Baseline | None) -> Objective:
    """A neuron, a mixture or an energy. Mixed channels are weighed in deviations over real images, where there are any:
    else the loudest channel would drown the others."""
    if parameters.goal == "energy":
        return objectives.energy()
    if not parameters.mix:
        return objectives.neuron(channel)
    weights = torch.zeros(target.units)
    for each, weight in {channel: 1.0, **parameters.mix}.items():
        weights[each] = weight if baseline is None else weight / float(baseline.scale()[each])
    return objectives.direction(weights, middle=parameters.goal == "neuron")


def attribution(target: Target, channels: list[int] | tuple[int, ...], pictures: Tensor) -> Tensor:
    """Which part of each picture moves its channel, [N, 1, H, W] in [0, 1]: the strength of the gradient, blurred.

    Fit for an alpha plane: what the channel does not look at fades.
    """
    planes = []
    for picture, index in zip(pictures.split(1), channels, strict=True):
        leaf = picture.detach().clone().requires_grad_()
        maps = counted(target.read(shown(leaf, target.view)), target.view)
        (gradient,) = torch.autograd.grad(maps[:, index].relu().square().mean() + maps[:, index].mean(), leaf)
        strength = gradient.nan_to_num(0.0, 0.0, 0.0).square().sum(1, keepdim=True).sqrt()
        reach = max(1, min(picture.shape[-2:]) // 16)
        smooth = functional.avg_pool2d(functional.pad(strength, (reach,) * 4, mode="reflect"), 2 * reach + 1, 1)
        # what is among the strongest tenth is wholly opaque, or a single peak would leave all else unseen
        opaque = smooth.flatten().quantile(0.9).clamp_min(1e-20)
        planes.append((smooth / opaque).clamp_max(1).sqrt())
    return torch.cat(planes)
