"""Colours: RGB triples in [0, 1], picked so that a drawing looks like one hand made it."""

from __future__ import annotations

import colorsys

import numpy as np

Colour = tuple[float, float, float]

INK: Colour = (0.13, 0.10, 0.14)
WHITE: Colour = (0.97, 0.96, 0.93)
SKIN: tuple[Colour, ...] = (
    (0.99, 0.85, 0.74),
    (0.94, 0.76, 0.60),
    (0.82, 0.60, 0.43),
    (0.62, 0.42, 0.29),
    (0.43, 0.28, 0.20),
)
FUR: tuple[Colour, ...] = (
    (0.93, 0.60, 0.27),
    (0.62, 0.60, 0.60),
    (0.36, 0.33, 0.34),
    (0.90, 0.86, 0.80),
    (0.58, 0.42, 0.30),
    (0.85, 0.72, 0.52),
)
LEAF: tuple[Colour, ...] = ((0.30, 0.58, 0.26), (0.44, 0.66, 0.25), (0.18, 0.45, 0.28))
WOOD: tuple[Colour, ...] = ((0.55, 0.36, 0.22), (0.70, 0.50, 0.31), (0.42, 0.27, 0.18))


def hue(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    """Any hue, with saturation and value uniform in the given ranges."""
    return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation), rng.uniform(*value))


def bright(rng: np.random.Generator) -> Colour:
    return hue(rng, (0.55, 0.95), (0.75, 1.0))


def pastel(rng: np.random.Generator) -> Colour:
    return hue(rng, (0.12, 0.45), (0.75, 1.0))


def deep(rng: np.random.Generator) -> Colour:
    return hue(rng, (0.45, 0.9), (0.25, 0.6))


def pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    """One of the colours, a little off."""
    return jitter(rng, colours[rng.integers(len(colours))])


def jitter(rng: np.random.Generator, colour: Colour, amount: float = 0.05) -> Colour:
    red, green, blue = np.clip(np.asarray(colour) + rng.uniform(-amount, amount, 3), 0, 1)
    return float(red), float(green), float(blue)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second in the first."""
    red, green, blue = (a * (1 - share) + b * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.35) -> Colour:
    return mix(colour, INK, share)


def lighter(colour: Colour, share: float = 0.4) -> Colour:
    return mix(colour, WHITE, share)
