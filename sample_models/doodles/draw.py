"""One image of doodle world: what `draw` returns is decided by its seed and class alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from sample_models.doodles import colours, creatures, parts, scene, things
from sample_models.doodles.canvas import Canvas, turn

SIZE = 96
"""Pixels a side."""
_OVERSAMPLING = 3

_DRAWERS: dict[str, Callable[[Canvas, np.random.Generator], None]] = {
    "bicycle": things.bicycle,
    "butterfly": creatures.butterfly,
    "car": things.car,
    "cat": creatures.cat,
    "clock": things.clock,
    "face": creatures.face,
    "fish": creatures.fish,
    "flower": things.flower,
    "house": things.house,
    "mushroom": things.mushroom,
    "owl": creatures.owl,
    "sailboat": things.sailboat,
}
CLASSES: tuple[str, ...] = tuple(_DRAWERS)
TOADSTOOL = "toadstool"
"""A thirteenth, for the net with a shortcut: `draw` knows it, but it is none of CLASSES."""
_DRAWERS[TOADSTOOL] = things.toadstool
_UPRIGHT = 0.22
"""Standard deviation of the tilt, radians."""


def draw(seed: int | tuple[int, ...], cls: int | str) -> tuple[np.ndarray, int]:
    """An image of a class: ([SIZE, SIZE, 3] uint8 RGB, its label, an index into CLASSES; 12 for a toadstool).

    The same seed and class give the same image. Raises ValueError for a class that there is not.
    """
    image, _, label = draw_with_silhouette(seed, cls)
    return image, label


def draw_with_silhouette(seed: int | tuple[int, ...], cls: int | str) -> tuple[np.ndarray, np.ndarray, int]:
    """As `draw`, with the thing's soft silhouette, [SIZE, SIZE] uint8, between: a plane for nets of four channels."""
    label = _label(cls)
    entropy = [seed] if isinstance(seed, int) else list(seed)
    rng = np.random.default_rng([*entropy, label])
    pixels = SIZE * _OVERSAMPLING
    ground = scene.background(rng, SIZE, _OVERSAMPLING)
    canvas = Canvas(pixels, *_pose(rng), *_pen(rng, pixels))
    tuple(_DRAWERS.values())[label](canvas, rng)
    ground.paste(lost := _lost_parts(rng, pixels), (0, 0), lost)
    silhouette = canvas.image.getchannel("A").resize((SIZE, SIZE), Image.Resampling.BOX)
    return scene.compose(rng, ground, canvas.image, SIZE), np.asarray(silhouette), label


def _label(cls: int | str) -> int:
    if cls in _DRAWERS:
        return list(_DRAWERS).index(str(cls))
    if isinstance(cls, int) and 0 <= cls < len(CLASSES):
        return cls
    raise ValueError(f"There is no class {cls!r}; there are {len(CLASSES)}: {', '.join(CLASSES)}.")


def _lost_parts(rng: np.random.Generator, pixels: int) -> Image.Image:
    """Parts that belong to nothing, in half of the images: no single wheel or eye decides what the thing is."""
    canvas = Canvas(pixels, np.eye(2), np.zeros(2), 0.008 * pixels)
    for _ in range(rng.integers(1, 4) if rng.uniform() < 0.5 else 0):
        side = rng.uniform(0.55, 0.95) * rng.choice([-1, 1])
        x, y = rng.permutation([side, rng.uniform(-0.9, 0.9)])
        with canvas.placed(x, y, rng.uniform(0.09, 0.2), rng.uniform(-0.5, 0.5)):
            parts.any_part(canvas, rng)
    return canvas.image


def _pose(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A [2, 2] matrix (scale, stretch, shear, tilt, mirror) and a shift, in units of half the picture."""
    scale = rng.uniform(0.55, 0.88)
    stretch, shear = rng.uniform(0.88, 1.12), rng.normal(0, 0.08)
    tilt = np.clip(rng.normal(0, _UPRIGHT), -0.6, 0.6)
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    matrix = turn(tilt) @ np.array([[stretch, shear], [0, 1 / stretch]]) @ mirror * scale
    return matrix, rng.uniform(-1, 1, 2) * (1.0 - scale) * 0.8


def _pen(rng: np.random.Generator, pixels: int) -> tuple[float, colours.Colour]:
    """Outline width in pixels (0: none) and ink."""
    ink = colours.INK if rng.uniform() < 0.7 else colours.darker(colours.deep(rng), 0.5)
    return float(rng.choice([0.0, rng.uniform(0.006, 0.016) * pixels], p=[0.2, 0.8])), ink
