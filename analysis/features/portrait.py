"""One unit looked at closely: several faces, its opposite, one neuron, a mixture of channels, and where it looks."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from analysis.errors import StrataError
from analysis.features import objectives
from analysis.features.baseline import Baseline
from analysis.features.climb import Rendered, Report, climb
from analysis.features.goals import ChannelGoal, DiverseGoal, Goal, ObjectiveGoal
from analysis.features.parameters import PortraitParameters
from analysis.features.prior import Prior
from analysis.features.recipe import first_recipe
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

    Face 0 begins where the picture of `render` does. With several faces, all are made together and depend on each
    other, on their number and on the seed, on nothing else. Raises StrataError for what the model does not have.
    """
    target = target_of(model, layer, parameters)
    for each in (channel, *parameters.mix):
        if not 0 <= each < target.units:
            raise StrataError(f"{layer} has channels 0 to {target.units - 1}, not {each}. Choose one of them.")
    recipe = first_recipe(parameters, target.view, target.stem)
    goal, faces = goal_of(target, channel, parameters, baseline), parameters.faces
    if parameters.attempts > 1:
        raise StrataError("Attempts keep one of several pictures and faces show them all. Leave attempts out.")
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
    return replace(made, deviation=made.activation.std().expand(faces)) if faces > 1 else made


def goal_of(target: Target, channel: int, parameters: PortraitParameters, baseline: Baseline | None) -> Goal:
    """What the parameters ask for, for every face alike. Mixed channels are weighed in deviations over real images,
    where there are any: else the loudest channel would drown the others."""
    sign, faces = parameters.sign, parameters.faces
    if parameters.goal == "channel" and not parameters.mix:
        wanted = torch.tensor([channel] * faces)
        return ChannelGoal(wanted, sign, target.rectified, baseline, parameters.distinct)
    if parameters.goal == "energy":
        wish = objectives.energy()
    elif parameters.mix:
        weights = torch.zeros(target.units)
        for each, weight in {channel: 1.0, **parameters.mix}.items():
            weights[each] = weight if baseline is None else weight / float(baseline.scale()[each])
        wish = objectives.direction(weights, middle=parameters.goal == "neuron")
    else:
        wish = objectives.neuron(channel)
    return ObjectiveGoal([objectives.weighted([(sign, wish)])] * faces)


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
