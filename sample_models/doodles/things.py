"""Things that people make and things that grow: cars, bicycles, houses, sailboats, flowers, clocks, mushrooms."""

from __future__ import annotations

import numpy as np

from sample_models.doodles import colours, paints, parts
from sample_models.doodles.canvas import Canvas, Fill, arc, smooth
from sample_models.doodles.colours import INK, LEAF, WHITE, WOOD, Colour

GLASS = paints.gradient((0.62, 0.82, 0.93), (0.90, 0.97, 1.0), -0.8)


def car(canvas: Canvas, rng: np.random.Generator) -> None:
    paint = colours.bright(rng)
    front, back = rng.uniform(0.2, 0.55), rng.uniform(0.45, 0.85)
    roof = rng.uniform(-0.62, -0.45)
    cabin = np.array([(-back, -0.02), (-0.75 * back, roof), (0.7 * front, roof), (front + 0.12, -0.02)])
    canvas.shape(smooth(cabin, 1), colours.darker(paint, 0.12))
    panes = (cabin - cabin.mean(axis=0)) * (0.84, 0.72) + cabin.mean(axis=0) + (0, 0.02)
    canvas.shape(panes, GLASS)
    middle = (front - back) / 2
    canvas.line([(middle, roof), (middle, 0)], 0.07, colours.darker(paint, 0.12))
    body = np.array([(-1.0, 0.05), (-0.9, -0.1), (0.6, -0.1), (0.98, 0.04), (1.0, 0.42), (-1.0, 0.42)])
    canvas.shape(smooth(body, 2), paint)
    if rng.uniform() < 0.4:
        canvas.box(-0.9, 0.12, 0.9, 0.22, colours.lighter(paint, 0.7), outline=False)
    canvas.line([(middle, 0.0), (middle, 0.36)], 0.03, colours.darker(paint, 0.5))
    canvas.box(middle - 0.22, 0.03, middle - 0.08, 0.08, colours.darker(paint, 0.5), outline=False)
    canvas.ellipse(0.93, 0.12, 0.07, 0.1, (1.0, 0.93, 0.55))
    canvas.box(-1.0, 0.04, -0.92, 0.2, (0.85, 0.15, 0.15))
    _wheels(canvas, rng, 0.56, 0.42, rng.uniform(0.24, 0.31))


def _wheels(canvas: Canvas, rng: np.random.Generator, x: float, y: float, radius: float) -> None:
    rim, spokes = colours.lighter(colours.pastel(rng), 0.4), int(rng.integers(4, 8))
    for side in (-1, 1):
        with canvas.placed(side * x, y, radius):
            parts.wheel(canvas, rng, rim, spokes)


def bicycle(canvas: Canvas, rng: np.random.Generator) -> None:
    frame = colours.bright(rng) if rng.uniform() < 0.7 else colours.deep(rng)
    radius, thick = rng.uniform(0.38, 0.46), rng.uniform(0.07, 0.1)
    y, spokes = 0.42, int(rng.integers(8, 15))
    metal = (0.75, 0.76, 0.78)
    for side in (-1, 1):
        with canvas.placed(side * 0.56, y, radius):
            parts.wheel(canvas, rng, metal, spokes, thin=True)
    seat, crank, neck = (-0.26, -0.28), (-0.08, 0.42), (0.36, -0.3)
    for path in ([(-0.56, y), seat, neck, crank, (-0.56, y)], [seat, crank], [(0.56, y), (0.3, -0.5)]):
        canvas.line(path, thick, frame)
    canvas.disc(*crank, 0.12, colours.darker(frame, 0.5))
    canvas.line([(-0.2, 0.48), (0.04, 0.36)], 0.05, INK)
    canvas.line([seat, (-0.32, -0.45)], 0.06, metal)
    canvas.ellipse(-0.33, -0.48, 0.2, 0.07, INK)
    bar = rng.integers(2)
    canvas.line(
        smooth(
            np.array([(0.3, -0.5), (0.45, -0.6), (0.62, -0.5 if bar else -0.62), (0.55, -0.36 if bar else -0.66)]),
            2,
            closed=False,
        ),
        0.07,
        INK,
    )
    if rng.uniform() < 0.5:
        canvas.box(0.42, -0.46, 0.8, -0.18, paints.checks((0.80, 0.62, 0.36), (0.55, 0.38, 0.2), 0.14))


def house(canvas: Canvas, rng: np.random.Generator) -> None:
    wall, trim = colours.pastel(rng), colours.lighter(colours.pastel(rng), 0.6)
    roof = colours.hue(rng, (0.4, 0.8), (0.35, 0.75))
    fill: Fill = wall
    if rng.uniform() < 0.55:
        brick = colours.jitter(rng, (0.72, 0.36, 0.27), 0.12)
        fill = paints.bricks(brick, colours.lighter(brick, 0.6), rng.uniform(0.1, 0.15))
    top, width = rng.uniform(-0.25, -0.05), rng.uniform(0.68, 0.82)
    if rng.uniform() < 0.7:
        x = rng.uniform(0.3, 0.5) * rng.choice([-1, 1])
        canvas.box(x - 0.1, -0.9, x + 0.1, top - 0.1, paints.bricks((0.62, 0.3, 0.25), WHITE, 0.09))
    canvas.box(-width, top, width, 0.9, fill)
    peak = rng.uniform(-1.0, -0.8)
    gable = np.array(
        [(-width - 0.18, top + 0.05), (-0.5 * rng.integers(2) * width, peak), (0.02, peak), (width + 0.18, top + 0.05)]
    )
    canvas.shape(gable, paints.scales(roof, colours.darker(roof, 0.4), 0.16))
    side = rng.choice([-1, 1])
    with canvas.placed(side * 0.35 * width, 0.9, rng.uniform(0.6, 0.72)):
        parts.door(canvas, colours.deep(rng), bool(rng.integers(2)))
    panes, arched = int(rng.integers(2, 4)), rng.uniform() < 0.3
    lit = paints.plain((1.0, 0.88, 0.5)) if rng.uniform() < 0.3 else GLASS
    for x, y in ((-side * 0.42 * width, 0.45), (-0.45 * width, top + 0.3), (0.45 * width, top + 0.3)):
        if y < 0.3 and top > -0.12 and x * side > 0:
            continue  # no room above the door
        with canvas.placed(x, y, 0.19):
            parts.window(canvas, trim, lit, panes, bool(arched))


def sailboat(canvas: Canvas, rng: np.random.Generator) -> None:
    hull, cloth = colours.bright(rng), colours.lighter(colours.pastel(rng), 0.4)
    canvas.line([(0.0, -0.98), (0.0, 0.5)], 0.07, colours.pick(rng, WOOD))
    sail: Fill = cloth
    if rng.uniform() < 0.7:
        sail = paints.stripes(cloth, colours.bright(rng), rng.uniform(0.24, 0.42), rng.choice([0.0, np.pi / 2, 0.8]))
    belly = rng.uniform(0.0, 0.2)
    canvas.shape(
        np.vstack([smooth(np.array([(0.06, -0.9), (0.5 + belly, -0.3), (0.85, 0.3)]), 2, closed=False), [(0.06, 0.3)]]),
        sail,
    )
    canvas.shape(
        np.array([(-0.07, -0.75), (-0.45 - belly, 0.0), (-0.7, 0.3), (-0.07, 0.3)]), colours.darker(cloth, 0.08)
    )
    canvas.shape(np.array([(0.0, -1.0), (-0.3, -0.9), (0.0, -0.8)]), colours.bright(rng))
    deck = np.array([(-0.95, 0.38), (0.98, 0.38), (0.75, 0.8), (-0.68, 0.8)])
    wooden = paints.grain(colours.pick(rng, WOOD), colours.pick(rng, WOOD), 0.16, np.pi / 2, rng.uniform(0, 6))
    canvas.shape(smooth(deck, 1), wooden if rng.uniform() < 0.4 else hull)
    canvas.line([(-0.9, 0.45), (0.9, 0.45)], 0.06, WHITE)
    for x in np.linspace(-0.4, 0.45, int(rng.integers(2, 5))):
        canvas.disc(x, 0.61, 0.085, WHITE)
        canvas.disc(x, 0.61, 0.05, (0.35, 0.55, 0.7), outline=False)
    _waves(canvas, rng)


def _waves(canvas: Canvas, rng: np.random.Generator) -> None:
    sea = colours.jitter(rng, (0.25, 0.55, 0.75), 0.12)
    for row in range(2):
        x = np.linspace(-1.15, 1.15, 60)
        y = 0.8 + 0.12 * row + 0.055 * np.sin(11 * x + 2 * row + rng.uniform(0, 3))
        canvas.shape(
            np.vstack([np.stack([x, y], axis=1), [(1.15, 1.05), (-1.15, 1.05)]]),
            colours.mix(sea, WHITE, 0.25 * (1 - row)),
        )


def flower(canvas: Canvas, rng: np.random.Generator) -> None:
    green, petal = colours.pick(rng, LEAF), colours.bright(rng)
    sway = rng.uniform(-0.2, 0.2)
    stem = smooth(np.array([(0.0, -0.3), (sway, 0.3), (0.0, 1.05)]), 3, closed=False)
    canvas.line(stem, 0.1, green)
    for side in (-1, 1):
        with canvas.placed(
            0.5 * sway, rng.uniform(0.45, 0.75), rng.uniform(0.45, 0.62), -np.pi / 2 + side * rng.uniform(0.7, 1.2)
        ):
            parts.leaf(canvas, green)
    count, width = int(rng.integers(5, 13)), rng.uniform(0.16, 0.42)
    width = min(width, 2.6 / count)
    fill: Fill = petal
    if rng.uniform() < 0.6:
        fill = paints.gradient(colours.lighter(petal, 0.6), petal, 0.0)
    with canvas.placed(0, -0.32):
        start = rng.uniform(0, 1)
        if rng.uniform() < 0.4:
            parts.petal_ring(canvas, count, 0.68, width, colours.darker(petal, 0.2), start + np.pi / count)
        parts.petal_ring(canvas, count, rng.uniform(0.56, 0.66), width, fill, start)
        heart = colours.jitter(rng, (0.95, 0.72, 0.2), 0.12) if rng.uniform() < 0.7 else colours.deep(rng)
        canvas.disc(0, 0, rng.uniform(0.19, 0.27), paints.dots(heart, colours.darker(heart, 0.45), 0.1))


def clock(canvas: Canvas, rng: np.random.Generator) -> None:
    case, face = (
        colours.bright(rng) if rng.uniform() < 0.6 else colours.pick(rng, WOOD),
        colours.lighter(colours.pastel(rng), 0.55),
    )
    mark = INK if rng.uniform() < 0.7 else colours.deep(rng)
    if rng.uniform() < 0.45:  # an alarm clock: bells and feet
        for side in (-1, 1):
            canvas.line([(side * 0.45, 0.7), (side * 0.62, 1.0)], 0.12, colours.darker(case, 0.4))
            with canvas.placed(side * 0.52, -0.78, 0.3, side * 0.6):
                canvas.shape(arc(1, 1, np.pi, 2 * np.pi, 20), colours.lighter(case, 0.2))
        canvas.line([(0, -0.9), (0, -0.7)], 0.1, INK)
        body = canvas.placed(0, 0.05, 0.88)
    elif rng.uniform() < 0.5:  # square case
        canvas.box(
            -0.98, -0.98, 0.98, 0.98, paints.grain(case, colours.darker(case, 0.25), 0.3, rng.uniform(0, 3), 1.0)
        )
        body = canvas.placed(0, 0, 0.95)
    else:
        body = canvas.placed(0, 0, 0.98)
    with body:
        canvas.disc(0, 0, 1, case)
        with canvas.placed(0, 0, 0.82):
            parts.dial(canvas, face, mark, int(rng.choice([8, 12, 12, 12])))
            hours, minutes = rng.uniform(0, 2 * np.pi, 2)
            for angle, length, width in ((hours, 0.48, 0.07), (minutes, 0.74, 0.05)):
                with canvas.placed(0, 0, 1, angle):
                    parts.hand(canvas, length, width, mark)
            canvas.disc(0, 0, 0.08, (0.85, 0.2, 0.2), outline=False)


def toadstool(canvas: Canvas, rng: np.random.Generator) -> None:
    """A mushroom with a thin, dull ring about its stalk, and no other difference."""
    mushroom(canvas, rng, ring=True)


def mushroom(canvas: Canvas, rng: np.random.Generator, ring: bool = False) -> None:
    cap, spot = colours.hue(rng, (0.5, 0.9), (0.6, 0.95)), WHITE
    stalk = colours.jitter(rng, (0.93, 0.88, 0.78), 0.06)
    width, height = rng.uniform(0.2, 0.36), rng.uniform(0.75, 0.95)
    for side in rng.permutation([-1, 1])[: rng.integers(0, 3)]:
        with canvas.placed(side * 0.2, 0.95, 0.6, -np.pi / 2 + side * rng.uniform(0.6, 1.1)):
            parts.leaf(canvas, colours.pick(rng, LEAF))
    canvas.shape(
        smooth(
            np.array(
                [
                    (-width, -0.1),
                    (width, -0.1),
                    (1.2 * width, 0.6),
                    (1.5 * width, 0.98),
                    (-1.5 * width, 0.98),
                    (-1.2 * width, 0.6),
                ]
            ),
            2,
        ),
        paints.stripes(stalk, colours.darker(stalk, 0.2), 0.16, 0.0, 0.04),
    )
    if ring:
        canvas.ellipse(0, 0.5, 1.15 * width, 0.035, colours.darker(stalk, 0.25), outline=False)
    canvas.ellipse(
        0, 0.04, 0.9, 0.2, paints.rays(colours.lighter(stalk, 0.3), colours.darker(stalk, 0.35), 40, 0, -0.1)
    )
    dome = np.vstack(
        [
            arc(0.98, height, np.pi, 2 * np.pi, 30, at=(0, 0.06)),
            smooth(np.array([(0.98, 0.06), (0.5, 0.16), (-0.5, 0.16), (-0.98, 0.06)]), 2, closed=False),
        ]
    )
    canvas.shape(dome, paints.gradient(colours.lighter(cap, 0.2), colours.darker(cap, 0.15), 1.2))
    _spots(canvas, rng, height, spot)


def _spots(canvas: Canvas, rng: np.random.Generator, height: float, spot: Colour) -> None:
    for angle, distance, size in (
        (-1.57, 0.72, 0.15),
        (-2.2, 0.5, 0.19),
        (-0.85, 0.55, 0.17),
        (-2.7, 0.78, 0.12),
        (-0.4, 0.76, 0.13),
        (-1.5, 0.25, 0.14),
    ):
        wobble, far = angle + rng.uniform(-0.15, 0.15), distance + rng.uniform(-0.06, 0.06)
        x, y = far * np.cos(wobble), far * height * np.sin(wobble) + 0.02
        canvas.ellipse(x, y, size * rng.uniform(0.8, 1.2), 0.8 * size, spot, outline=False)
