"""Train a classifier: SGD on a one-cycle schedule, random views, label smoothing, averaged weights, and, if wished,
against small perturbations, which makes what channels want look like things (Engstrom 2019, 1906.00945)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sample_models.augment import Views, cutmix, view

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Recipe:
    """epochs, batch, rate (peak of the cycle), decay (of weights) · smoothing: of labels · average: of the weights'
    moving average, 0 for none · robust: L2 radius, in [0, 1] pixel units, of one adversarial step, 0 for none"""

    epochs: int
    batch: int = 64
    rate: float = 0.1
    decay: float = 5e-4
    smoothing: float = 0.1
    average: float = 0.0
    robust: float = 0.0
    views: Views = Views()  # noqa: RUF009


def normalise(images: Tensor) -> Tensor:
    """[B, C, H, W] in [0, 1] → about zero mean and unit spread: by ImageNet’s figures for RGB, else ½ and ¼."""
    mean, std = (MEAN, STD) if images.shape[1] == 3 else ((0.5,) * images.shape[1], (0.25,) * images.shape[1])
    shape = (1, -1, 1, 1)
    return (images - torch.tensor(mean, device=images.device).view(shape)) / torch.tensor(
        std, device=images.device
    ).view(shape)


def train(
    net: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    seed: int,
    after_epoch: Callable[[int, nn.Module, float], None] = lambda epoch, net, loss: None,
    prepare: Callable[[Tensor], Tensor] = normalise,
    device: str = "cpu",
) -> nn.Module:
    """images [N, C, H, W] uint8, labels [N] → the trained (or averaged) net, on the CPU, in eval mode.

    `after_epoch(epoch, net, mean loss)` is called with that net, on `device`, after each epoch, counted from 1.
    """
    images, labels = images.to(device), labels.to(device)
    generator = torch.Generator(device=device).manual_seed(seed)
    net = net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = recipe.epochs * (len(images) // recipe.batch)
    optimizer = torch.optim.SGD(_groups(net, recipe.decay), lr=recipe.rate, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps, pct_start=0.2)
    averaged = copy.deepcopy(net) if recipe.average else net
    for epoch in range(1, recipe.epochs + 1):
        net.train()
        total = torch.zeros((), device=device)
        order = torch.randperm(len(images), generator=generator, device=device)
        for chosen in order[: len(images) // recipe.batch * recipe.batch].split(recipe.batch):
            seen = view(images[chosen].float() / 255, recipe.views, generator)
            loss = _loss(net, seen, labels[chosen], recipe, generator, prepare)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if recipe.average:
                _follow(averaged, net, recipe.average)
            total += loss.detach()
        after_epoch(epoch, averaged.eval(), float(total) / max(1, len(images) // recipe.batch))
    return averaged.cpu().eval()


def _groups(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weight decay for kernels and matrices, none for what has one dimension."""
    kernels = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _loss(
    net: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    generator: torch.Generator,
    prepare: Callable[[Tensor], Tensor],
) -> Tensor:
    fast = torch.autocast(images.device.type, torch.bfloat16, enabled=images.device.type == "cuda")
    other, own = labels, 1.0
    if float(torch.rand((), generator=generator, device=generator.device)) < recipe.views.cutmix:
        share = torch.rand((), generator=generator, device=generator.device)
        images, mixed_with, own = cutmix(images, share, generator)
        other = labels[mixed_with]

    def loss_of(seen: Tensor) -> Tensor:
        with fast:
            logits = net(prepare(seen).contiguous(memory_format=torch.channels_last)).float()
        first = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
        return (
            first
            if own == 1
            else own * first + (1 - own) * F.cross_entropy(logits, other, label_smoothing=recipe.smoothing)
        )

    if recipe.robust:
        images = _perturbed(images, loss_of, recipe.robust, generator)
    return loss_of(images)


def _perturbed(
    images: Tensor, loss_of: Callable[[Tensor], Tensor], radius: float, generator: torch.Generator
) -> Tensor:
    """One gradient step from a random start to the images within the L2 ball that raise the loss most."""
    noise = torch.randn(images.shape, generator=generator, device=generator.device).to(images.device)
    start = 0.5 * radius * noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    moved = (images + start).requires_grad_(True)
    (slope,) = torch.autograd.grad(loss_of(moved), moved)
    step = start + radius * slope / slope.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
    step = step * (radius / step.flatten(1).norm(dim=1).clamp(min=radius)).view(-1, 1, 1, 1)
    return (images + step).clamp(0, 1).detach()


@torch.no_grad()
def _follow(averaged: nn.Module, net: nn.Module, keep: float) -> None:
    for old, new in zip(averaged.state_dict().values(), net.state_dict().values(), strict=True):
        if old.dtype.is_floating_point:
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


@torch.no_grad()
def accuracy(net: nn.Module, images: Tensor, labels: Tensor, prepare: Callable[[Tensor], Tensor] = normalise) -> float:
    """Share right of uint8 [N, C, H, W] images."""
    device = next(net.parameters(), images).device
    net.eval()
    right = sum(
        int((net(prepare(batch.to(device).float() / 255)).argmax(1).cpu() == truth).sum())
        for batch, truth in zip(images.split(128), labels.split(128), strict=True)
    )
    return right / len(images)
