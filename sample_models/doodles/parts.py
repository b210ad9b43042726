"""Parts that several things are made of. Each is drawn about the origin; place it with `canvas.placed`."""

from __future__ import annotations

import numpy as np

from sample_models.doodles import colours, paints
from sample_models.doodles.canvas import Canvas, Fill, arc, smooth
from sample_models.doodles.colours import INK, WHITE, Colour


def eye(canvas: Canvas, iris: Colour, look: tuple[float, float], openness: float = 1.0, lashes: bool = False) -> None:
    """Radius 1: white, iris, pupil, glint. `look`: where the pupil points, each in [−1, 1]."""
    canvas.ellipse(0, 0, 1, openness, WHITE)
    x, y = 0.3 * look[0], 0.3 * look[1] * openness
    canvas.disc(x, y, 0.62 * openness**0.5, iris, outline=False)
    canvas.disc(x, y, 0.34 * openness**0.5, INK, outline=False)
    canvas.disc(x - 0.2, y - 0.22, 0.14, WHITE, outline=False)
    if lashes:
        for angle in (-2.4, -1.95, -1.2, -0.75):
            tip = np.array([np.cos(angle), openness * np.sin(angle)])
            canvas.line(np.stack([tip, tip * 1.4]), 0.12, INK)


def eyes(canvas: Canvas, rng: np.random.Generator, gap: float, radius: float, iris: Colour, **how: bool) -> None:
    """A pair that looks the same way, `gap` between their centres."""
    look = (float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1)))
    openness = float(rng.uniform(0.7, 1.0))
    for side in (-1, 1):
        with canvas.placed(side * gap / 2, 0, radius):
            eye(canvas, iris, look, openness, how.get("lashes", False))


def wheel(canvas: Canvas, rng: np.random.Generator, rim: Colour, spokes: int, thin: bool = False) -> None:
    """Radius 1: tyre, rim, spokes, hub. A thin one is a bicycle's: you see through it."""
    start = float(rng.uniform(0, np.pi))
    if thin:
        circle = arc(0.92, 0.92, points=48)
        canvas.line(np.vstack([circle, circle[:2]]), 0.2, INK)
        for angle in np.arange(spokes) * 2 * np.pi / spokes + start:
            canvas.line([(0, 0), (0.85 * np.cos(angle), 0.85 * np.sin(angle))], 0.05, rim)
        canvas.disc(0, 0, 0.15, rim, outline=False)
        return
    canvas.disc(0, 0, 1, (0.16, 0.15, 0.17))
    canvas.disc(0, 0, 0.62, rim, outline=False)
    for angle in np.arange(spokes) * 2 * np.pi / spokes + start:
        canvas.line([(0, 0), (0.58 * np.cos(angle), 0.58 * np.sin(angle))], 0.14, colours.darker(rim, 0.5))
    canvas.disc(0, 0, 0.2, colours.darker(rim, 0.6), outline=False)


def window(canvas: Canvas, frame: Colour, glass: Fill, panes: int = 2, arched: bool = False) -> None:
    """A framed window in [−1, 1]²: glass, a glint, bars; arched ones have a round top."""
    if arched:
        top = np.vstack([arc(1, 1.1, np.pi, 2 * np.pi, 20), [(1, 1), (-1, 1)]])
        canvas.shape(top, frame)
        canvas.shape(np.vstack([arc(0.78, 0.85, np.pi, 2 * np.pi, 20), [(0.78, 0.8), (-0.78, 0.8)]]), glass, False)
    else:
        canvas.box(-1, -1, 1, 1, frame)
        canvas.box(-0.78, -0.78, 0.78, 0.78, glass, outline=False)
    canvas.line([(-0.55, 0.1), (0.1, -0.55)], 0.1, WHITE)
    for bar in np.linspace(-1, 1, panes + 1)[1:-1]:
        canvas.line([(bar, -0.9), (bar, 0.9)], 0.16, frame)
    if panes > 1:
        canvas.line([(-0.9, 0), (0.9, 0)], 0.16, frame)


def petal_ring(canvas: Canvas, count: int, length: float, width: float, fill: Fill, start: float = 0.0) -> None:
    """`count` petals about the origin, tips at `length`."""
    petal = smooth(
        np.array([(0.05, 0), (0.45, -width), (0.95, -0.6 * width), (1.08, 0), (0.95, 0.6 * width), (0.45, width)])
    )
    for angle in np.arange(count) * 2 * np.pi / count + start:
        with canvas.placed(0, 0, length, angle):
            canvas.shape(petal, fill)


def leaf(canvas: Canvas, colour: Colour) -> None:
    """From the origin to (1, 0), with veins."""
    blade = smooth(np.array([(0.0, 0.0), (0.35, -0.3), (0.8, -0.18), (1.05, 0.0), (0.8, 0.18), (0.35, 0.3)]))
    canvas.shape(blade, colour)
    vein = colours.lighter(colour, 0.45)
    canvas.line([(0.05, 0), (0.92, 0)], 0.05, vein)
    for x in (0.3, 0.5, 0.7):
        canvas.line([(x - 0.1, 0), (x + 0.08, -0.16)], 0.035, vein)
        canvas.line([(x - 0.1, 0), (x + 0.08, 0.16)], 0.035, vein)


def fin(canvas: Canvas, colour: Colour, ribs: int = 4) -> None:
    """A ribbed fan from the origin to the right."""
    fan = np.vstack([[(0.0, -0.12)], arc(1.0, 0.75, -0.85, 0.85, 14), [(0.0, 0.12)]])
    canvas.shape(fan, paints.rays(colour, colours.darker(colour, 0.4), ribs * 7))


def mouth(canvas: Canvas, width: float, smile: float, colour: Colour = (0.72, 0.20, 0.22), teeth: bool = False) -> None:
    """A curved line, or open with teeth; `smile` in [−1, 1]."""
    x = np.linspace(-width / 2, width / 2, 15)
    curve = np.stack([x, -smile * 0.35 * width * ((2 * x / width) ** 2 - 1)], axis=1)
    if teeth and smile > 0.2:
        canvas.shape(np.vstack([curve, [(-width / 2, 0)]]), colour)
        canvas.box(-0.32 * width, 0, 0.32 * width, 0.11 * width, WHITE, outline=False)
    else:
        canvas.line(curve, 0.13 * width, colour)


def whiskers(canvas: Canvas, colour: Colour, length: float) -> None:
    for side in (-1, 1):
        for tilt in (-0.22, 0.0, 0.22):
            canvas.line([(0.2 * side, 0.3 * tilt), (side * (0.2 + length), tilt)], 0.035, colour)


def door(canvas: Canvas, colour: Colour, rounded: bool) -> None:
    """Standing on the origin, 1 high, 0.6 wide."""
    if rounded:
        canvas.shape(np.vstack([arc(0.3, 0.3, np.pi, 2 * np.pi, 16, at=(0, -0.7)), [(0.3, 0), (-0.3, 0)]]), colour)
    else:
        canvas.box(-0.3, -1, 0.3, 0, colour)
        canvas.box(-0.18, -0.88, 0.18, -0.55, colours.darker(colour, 0.3), outline=False)
    canvas.disc(0.18, -0.42, 0.06, (0.95, 0.82, 0.35), outline=False)


def dial(canvas: Canvas, face: Fill, mark: Colour, ticks: int) -> None:
    """Radius 1: a disc with ticks at the rim, the quarters longer."""
    canvas.disc(0, 0, 1, face)
    for index, angle in enumerate(np.arange(ticks) * 2 * np.pi / ticks):
        long = index % max(1, ticks // 4) == 0
        inner = 0.68 if long else 0.8
        way = np.array([np.cos(angle), np.sin(angle)])
        canvas.line(np.stack([way * inner, way * 0.92]), 0.11 if long else 0.06, mark)


def hand(canvas: Canvas, length: float, width: float, colour: Colour) -> None:
    """A clock's hand from the origin to the right."""
    canvas.shape(
        np.array(
            [(-0.15, -width), (0.6 * length, -width * 1.3), (length, 0), (0.6 * length, width * 1.3), (-0.15, width)]
        ),
        colour,
        False,
    )


def any_part(canvas: Canvas, rng: np.random.Generator) -> None:
    """One part, of nothing."""
    kind, colour = rng.integers(8), colours.bright(rng)
    if kind == 0:
        eye(canvas, colours.deep(rng), (float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1))), rng.uniform(0.7, 1))
    elif kind == 1:
        wheel(canvas, rng, colours.pastel(rng), int(rng.integers(4, 12)), thin=bool(rng.integers(2)))
    elif kind == 2:
        window(canvas, colours.lighter(colour, 0.7), (0.7, 0.86, 0.95), int(rng.integers(1, 4)), bool(rng.integers(2)))
    elif kind == 3:
        petal_ring(canvas, int(rng.integers(5, 10)), 1.0, 0.26, colour)
    elif kind == 4:
        leaf(canvas, colours.pick(rng, colours.LEAF))
    elif kind == 5:
        fin(canvas, colour)
    elif kind == 6:
        dial(canvas, WHITE, INK, 12)
    else:
        with canvas.placed(0, 0, 2):
            mouth(canvas, 0.8, rng.uniform(-0.5, 1), teeth=bool(rng.integers(2)))
