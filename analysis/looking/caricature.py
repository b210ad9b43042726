"""What a layer kept of an image: a picture made of nothing but the layer's answer to it, exaggerated.

After the caricatures and feature inversions of Lucid (Olah et al. 2018, “The Building Blocks of Interpretability”;
lucid/optvis/objectives.py, `dot_compare`): picture and image are seen through the same random transforms, and the
picture climbs for the dot product of what the layer lets through of both, times their cosine. The dot product alone
would grow by contrast; the cosine alone would copy weak answers as faithfully as strong ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from analysis.features.canvas import Canvas
from analysis.features.climb import generator_of, pixel_noise
from analysis.features.loop import YOUNG, slope
from analysis.features.optimizer import RowNAdam
from analysis.features.prior import Prior
from analysis.features.size import View
from analysis.features.target import Target
from analysis.features.transforms import Grain, Wobble, affine, draw
from analysis.looking.heat import let_through
from analysis.models.model import Model
from analysis.statistics.follow import Follow

STEPS = 40
RATE = 0.3
FREEDOM, CONTRAST = 0.6, 1.3
"""Of the canvas (analysis/features/canvas.py): the image's own spectrum is not the probe's mean, so it may move."""
LEAST = 0.1
"""The cosine counts for no less, so that a picture that answers nothing like the image still has a way to climb."""


@dataclass(frozen=True)
class Caricature:
    """picture: [C, H, W] in [0, 1] · cosine: of what the layer lets through of picture and image, −1 … 1 ·
    untouched: the same of the picture before the first step."""

    picture: Tensor
    cosine: float
    untouched: float


def caricature(
    model: Model,
    layer: str,
    image: Tensor,
    prior: Prior,
    follow: Follow,
    steps: int = STEPS,
    report: Callable[[float], None] = lambda fraction: None,
) -> Caricature:
    """image [1, C, H, W] in [0, 1] at the model's own size → its caricature by one layer. The same each time.

    report hears how far it is between steps, and may raise to stop.
    """
    image = image.to(model.device)
    height, width = image.shape[-2:]
    target = Target(model, layer, "conv", model.card.units(layer), View(height, width, 0, 0, 0.0), rectified=0.0)
    canvas = Canvas(prior, height, width, freedom=FREEDOM, contrast=CONTRAST, device=model.device)
    generator = generator_of(layer, 0, 0)
    waves = canvas.start([generator])
    wobble, optimizer = Wobble(), RowNAdam(waves, RATE, steps, settles=1)
    grain = Grain(image.shape[1], height, width, waves.device)
    deviation = (wobble.noise * pixel_noise(model.card.input)).view(1, -1, 1, 1).to(waves)

    def passed(pictures: Tensor) -> Tensor:
        return let_through(target.read(pictures), follow)

    def cosine() -> float:
        with torch.no_grad():
            return float(_cosine(passed(canvas.picture(waves)), passed(image)))

    untouched = cosine()
    for step in range(steps):
        leaf = waves.detach().requires_grad_()
        through = draw(wobble, [generator], torch.ones(1))
        seen = affine(canvas.picture(leaf), through).add_(grain.windows([generator]).mul_(deviation))
        with torch.no_grad():
            wanted = passed(affine(image, through))
        gradient = slope(-likeness(passed(seen), wanted), leaf, torch.tensor([step < YOUNG]))
        optimizer.step(waves, -gradient.nan_to_num(0.0, 0.0, 0.0))
        report((step + 1) / steps)
    with torch.no_grad():
        picture = canvas.picture(waves)[0].cpu()
    return Caricature(picture, cosine(), untouched)


def likeness(maps: Tensor, wanted: Tensor) -> Tensor:
    """[1, K, h, w] each → ⟨maps, wanted⟩ ÷ ⟨wanted, wanted⟩ × their cosine; 1 for the image itself."""
    dot = (maps * wanted).sum() / wanted.square().sum().clamp_min(1e-12)
    return dot * _cosine(maps, wanted).clamp_min(LEAST)


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum() / (one.norm() * other.norm()).clamp_min(1e-12)
