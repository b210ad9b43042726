"""Paints: what fills a shape. A paint maps positions (u, v), in the shape's own unit coordinates, to colours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sample_models.doodles.colours import Colour

Positions = np.ndarray
Paint = Callable[[Positions, Positions], np.ndarray]
"""(u, v), arrays of one shape → [..., 3] colours in [0, 1]."""


def blend(first: Colour, second: Colour, share: np.ndarray) -> np.ndarray:
    """Elementwise mix: 0 gives the first colour, 1 the second."""
    share = np.clip(share, 0, 1)[..., None]
    return np.asarray(first, np.float32) * (1 - share) + np.asarray(second, np.float32) * share


def _edge(wave: np.ndarray, softness: float = 0.15) -> np.ndarray:
    """A wave in [−1, 1] → nearly a step, soft enough not to alias."""
    return 0.5 + 0.5 * np.clip(wave / softness, -1, 1)


def plain(colour: Colour) -> Paint:
    return lambda u, v: blend(colour, colour, np.zeros_like(u))


def gradient(first: Colour, second: Colour, angle: float) -> Paint:
    return lambda u, v: blend(first, second, 0.5 + 0.5 * (u * np.cos(angle) + v * np.sin(angle)))


def stripes(first: Colour, second: Colour, period: float, angle: float, wobble: float = 0.0) -> Paint:
    def paint(u: Positions, v: Positions) -> np.ndarray:
        across = u * np.cos(angle) + v * np.sin(angle)
        along = v * np.cos(angle) - u * np.sin(angle)
        wave = np.sin(2 * np.pi * (across + wobble * np.sin(5 * along)) / period)
        return blend(first, second, _edge(wave, 0.35))

    return paint


def dots(ground: Colour, dot: Colour, period: float, radius: float = 0.3) -> Paint:
    """Staggered rows of discs, `radius` in periods."""

    def paint(u: Positions, v: Positions) -> np.ndarray:
        row = np.floor(v / period)
        x = (u / period + 0.5 * (row % 2)) % 1 - 0.5
        y = (v / period) % 1 - 0.5
        return blend(ground, dot, _edge(radius - np.hypot(x, y), 0.08))

    return paint


def checks(first: Colour, second: Colour, period: float, angle: float = 0.0) -> Paint:
    def paint(u: Positions, v: Positions) -> np.ndarray:
        x, y = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
        return blend(first, second, _edge(np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period), 0.2))

    return paint


def scales(ground: Colour, rim: Colour, period: float) -> Paint:
    """Overlapping arcs in staggered columns: fish scales, feathers, roof tiles."""

    def paint(u: Positions, v: Positions) -> np.ndarray:
        column = np.floor(u / period)
        x = (u / period) % 1
        y = (v / period + 0.5 * (column % 2)) % 1 - 0.5
        return blend(ground, rim, _edge(0.2 - np.abs(np.hypot(x, y * 1.1) - 0.72), 0.12))

    return paint


def bricks(brick: Colour, mortar: Colour, height: float) -> Paint:
    def paint(u: Positions, v: Positions) -> np.ndarray:
        row = np.floor(v / height)
        x = (u / (2.2 * height) + 0.5 * (row % 2)) % 1 - 0.5
        y = (v / height) % 1 - 0.5
        gap = np.maximum(np.abs(x) * 2.2 - 0.98, np.abs(y) - 0.39)
        tone = 0.12 * np.sin(12.9 * row + 78.2 * np.floor(u / (2.2 * height) + 0.5 * (row % 2)))
        return np.clip(blend(brick, mortar, _edge(gap, 0.06)) + tone[..., None], 0, 1)

    return paint


def grain(first: Colour, second: Colour, period: float, angle: float, phase: float) -> Paint:
    """Wood: wavy lines that crowd and spread."""

    def paint(u: Positions, v: Positions) -> np.ndarray:
        across = u * np.cos(angle) + v * np.sin(angle)
        along = v * np.cos(angle) - u * np.sin(angle)
        bend = across + 0.12 * np.sin(3 * along + phase) + 0.04 * np.sin(9 * along + 2 * phase)
        return blend(first, second, 0.5 + 0.5 * np.sin(2 * np.pi * bend / period + np.sin(2.3 * bend / period)))

    return paint


def rings(first: Colour, second: Colour, period: float, x: float = 0.0, y: float = 0.0) -> Paint:
    return lambda u, v: blend(first, second, _edge(np.sin(2 * np.pi * np.hypot(u - x, v - y) / period), 0.4))


def rays(first: Colour, second: Colour, count: int, x: float = 0.0, y: float = 0.0) -> Paint:
    return lambda u, v: blend(first, second, _edge(np.sin(count * np.arctan2(v - y, u - x)), 0.3))


def any_pattern(rng: np.random.Generator, first: Colour, second: Colour, period: float) -> Paint:
    """One of the patterns, in two colours."""
    angle = rng.uniform(0, np.pi)
    choice = rng.integers(6)
    if choice == 0:
        return stripes(first, second, period, angle, rng.choice([0.0, 0.03]))
    if choice == 1:
        return dots(first, second, period, rng.uniform(0.22, 0.36))
    if choice == 2:
        return checks(first, second, period * 1.6, angle)
    if choice == 3:
        return rings(first, second, period, rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5))
    if choice == 4:
        return grain(first, second, period, angle, rng.uniform(0, 6))
    return gradient(first, second, angle)
