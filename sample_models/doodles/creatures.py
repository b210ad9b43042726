"""Things with eyes: faces, cats, owls, fish, butterflies. Each fills about [−1, 1]²."""

from __future__ import annotations

import numpy as np

from sample_models.doodles import colours, paints, parts
from sample_models.doodles.canvas import Canvas, Fill, arc, smooth
from sample_models.doodles.colours import FUR, INK, SKIN, WHITE, Colour


def face(canvas: Canvas, rng: np.random.Generator) -> None:
    skin = colours.pick(rng, SKIN)
    hair = colours.jitter(rng, colours.darker(colours.pick(rng, FUR), rng.uniform(0, 0.7)))
    width = rng.uniform(0.62, 0.78)
    _shoulders(canvas, rng, skin)
    style = rng.integers(4)
    if style == 1:  # long hair falls behind the face
        canvas.shape(
            smooth(np.array([(-0.95, -0.3), (-0.6, -0.98), (0.6, -0.98), (0.95, -0.3), (0.9, 0.6), (-0.9, 0.6)])), hair
        )
    for side in (-1, 1):
        canvas.ellipse(side * width, 0.02, 0.13, 0.2, skin)
    canvas.shape(
        smooth(np.array([(-width, -0.75), (width, -0.75), (width, 0.25), (0.3, 0.85), (-0.3, 0.85), (-width, 0.25)])),
        skin,
    )
    _hair(canvas, rng, hair, width, int(style))
    with canvas.placed(0, -0.05):
        parts.eyes(canvas, rng, 0.62, rng.uniform(0.17, 0.22), colours.deep(rng), lashes=bool(rng.integers(2)))
    brow = colours.darker(hair, 0.4)
    tilt = rng.uniform(-0.08, 0.08)
    for side in (-1, 1):
        canvas.line([(side * 0.17, -0.32 + tilt), (side * 0.45, -0.34 - tilt)], 0.07, brow)
    canvas.shape(
        smooth(np.array([(-0.02, -0.05), (0.03, -0.05), (0.14, 0.28), (-0.12, 0.28)])), colours.darker(skin, 0.2)
    )
    for side in (-1, 1):
        canvas.disc(side * 0.42, 0.28, 0.12, colours.mix(skin, (0.95, 0.4, 0.4), 0.35), outline=False)
    with canvas.placed(0, 0.47):
        parts.mouth(canvas, rng.uniform(0.4, 0.58), rng.uniform(-0.2, 1.0), teeth=bool(rng.integers(2)))
    if rng.uniform() < 0.25:
        _glasses(canvas, colours.deep(rng))


def _shoulders(canvas: Canvas, rng: np.random.Generator, skin: Colour) -> None:
    shirt = paints.any_pattern(rng, colours.bright(rng), colours.pastel(rng), rng.uniform(0.15, 0.3))
    canvas.shape(smooth(np.array([(-1.0, 1.3), (-0.85, 0.85), (0.85, 0.85), (1.0, 1.3)])), shirt)
    canvas.box(-0.22, 0.6, 0.22, 0.98, colours.darker(skin, 0.12))


def _hair(canvas: Canvas, rng: np.random.Generator, hair: Colour, width: float, style: int) -> None:
    strands = paints.stripes(hair, colours.darker(hair, 0.3), 0.14, rng.uniform(-0.5, 0.5), 0.05)
    if style == 3:  # a hat
        brim = colours.bright(rng)
        canvas.shape(
            smooth(np.array([(-0.6, -0.5), (-0.5, -1.15), (0.5, -1.15), (0.6, -0.5)])),
            paints.any_pattern(rng, brim, colours.darker(brim), 0.25),
        )
        canvas.ellipse(0, -0.52, 0.95, 0.13, colours.darker(brim, 0.2))
        return
    top = np.vstack(
        [
            arc(width + 0.06, 0.62, np.pi, 2 * np.pi, 20, at=(0, -0.3)),
            [(0.5, -0.42), (rng.uniform(-0.3, 0.3), -0.52), (-0.5, -0.4)],
        ]
    )
    canvas.shape(top, strands)
    if style == 2:  # two buns
        for side in (-1, 1):
            canvas.disc(
                side * 0.62, -0.78, 0.24, paints.rings(hair, colours.darker(hair, 0.3), 0.16, side * 0.62, -0.78)
            )


def _glasses(canvas: Canvas, colour: Colour) -> None:
    for side in (-1, 1):
        circle = arc(0.27, 0.27, at=(side * 0.31, -0.05))
        canvas.line(np.vstack([circle, circle[:2]]), 0.055, colour)
    canvas.line([(-0.06, -0.08), (0.06, -0.08)], 0.055, colour)


def cat(canvas: Canvas, rng: np.random.Generator) -> None:
    fur = colours.pick(rng, FUR)
    coat: Fill = fur
    if rng.uniform() < 0.65:
        coat = paints.stripes(fur, colours.darker(fur, 0.4), rng.uniform(0.22, 0.36), rng.uniform(-0.3, 0.3), 0.05)
    ear = rng.uniform(0.9, 1.1)
    for side in (-1, 1):
        canvas.shape(np.array([(side * 0.8, -0.15), (side * 0.75, -ear), (side * 0.18, -0.62)]), coat)
        canvas.shape(
            np.array([(side * 0.68, -0.35), (side * 0.67, -ear + 0.2), (side * 0.35, -0.6)]), (0.93, 0.62, 0.62), False
        )
    canvas.shape(
        smooth(
            np.array(
                [
                    (-0.85, -0.5),
                    (-0.3, -0.75),
                    (0.3, -0.75),
                    (0.85, -0.5),
                    (0.95, 0.3),
                    (0.4, 0.85),
                    (-0.4, 0.85),
                    (-0.95, 0.3),
                ]
            )
        ),
        coat,
    )
    pale = colours.lighter(fur, 0.65)
    for side in (-1, 1):
        canvas.ellipse(side * 0.19, 0.42, 0.27, 0.24, pale, outline=False)
    iris = [(0.55, 0.78, 0.25), (0.95, 0.75, 0.2), (0.35, 0.65, 0.85)][rng.integers(3)]
    with canvas.placed(0, -0.1):
        _slit_eyes(canvas, rng, iris)
    with canvas.placed(0, 0.36):
        parts.whiskers(canvas, WHITE if sum(fur) < 1.3 else INK, rng.uniform(0.7, 0.9))
    canvas.shape(smooth(np.array([(-0.17, 0.2), (0.17, 0.2), (0.0, 0.4)]), 2), (0.90, 0.45, 0.50))
    canvas.line([(0, 0.38), (0, 0.5), (-0.16, 0.58)], 0.05, INK)
    canvas.line([(0, 0.5), (0.16, 0.58)], 0.05, INK)


def _slit_eyes(canvas: Canvas, rng: np.random.Generator, iris: Colour) -> None:
    slit = rng.uniform(0.25, 0.75)
    look = rng.uniform(-0.25, 0.25)
    for side in (-1, 1):
        with canvas.placed(side * 0.4, 0, 0.24, side * 0.2):
            canvas.ellipse(0, 0, 1, 0.85, iris)
            canvas.ellipse(look, 0, 0.42 * slit + 0.1, 0.75, INK, outline=False)
            canvas.disc(look - 0.2, -0.3, 0.16, WHITE, outline=False)


def owl(canvas: Canvas, rng: np.random.Generator) -> None:
    feather = colours.pick(rng, FUR) if rng.uniform() < 0.6 else colours.hue(rng, (0.25, 0.6), (0.45, 0.85))
    body = smooth(np.array([(-0.7, -0.6), (0.7, -0.6), (0.8, 0.4), (0.45, 1.0), (-0.45, 1.0), (-0.8, 0.4)]))
    for side in (-1, 1):
        canvas.shape(np.array([(side * 0.62, -0.4), (side * 0.72, -1.0), (side * 0.2, -0.66)]), feather)
    canvas.shape(body, paints.scales(feather, colours.darker(feather, 0.45), rng.uniform(0.2, 0.3)))
    belly = colours.lighter(feather, 0.5)
    canvas.ellipse(0, 0.5, 0.42, 0.45, paints.scales(belly, colours.darker(belly, 0.35), 0.18), outline=False)
    for side in (-1, 1):
        wing = smooth(np.array([(side * 0.75, -0.2), (side * 1.0, 0.4), (side * 0.6, 0.85), (side * 0.55, 0.1)]))
        canvas.shape(wing, paints.stripes(feather, colours.darker(feather, 0.5), 0.22, 0.9 * side + 1.57))
        canvas.disc(side * 0.33, -0.32, 0.37, paints.rays(belly, feather, 14, side * 0.33, -0.32))
    with canvas.placed(0, -0.32):
        parts.eyes(canvas, rng, 0.66, rng.uniform(0.22, 0.28), [(0.98, 0.75, 0.1), (0.95, 0.5, 0.15)][rng.integers(2)])
    beak = (0.95, 0.66, 0.2)
    canvas.shape(np.array([(-0.13, -0.18), (0.13, -0.18), (0.0, 0.14)]), beak)
    for x in (-0.28, -0.16, 0.16, 0.28):
        canvas.ellipse(x, 0.99, 0.07, 0.1, beak)


def fish(canvas: Canvas, rng: np.random.Generator) -> None:
    skin, rim = colours.bright(rng), colours.bright(rng)
    height = rng.uniform(0.42, 0.62)
    coat = paints.scales(skin, colours.darker(skin, 0.4), rng.uniform(0.18, 0.26))
    if rng.uniform() < 0.45:
        coat = paints.stripes(skin, rim, rng.uniform(0.3, 0.5), rng.uniform(-0.3, 0.3), 0.04)
    with canvas.placed(0.45, 0, 0.62, rng.uniform(-0.2, 0.2)):
        tail = np.array([(0.0, -0.15), (0.85, -0.75), (0.65, 0.0), (0.85, 0.75), (0.0, 0.15)])
        canvas.shape(smooth(tail, 1), paints.rays(rim, colours.darker(rim, 0.4), 26, -0.4, 0))
    with canvas.placed(-0.05, -0.75 * height, 0.55, -0.9):
        parts.fin(canvas, rim)
    with canvas.placed(0.0, 0.75 * height, 0.45, 0.9):
        parts.fin(canvas, rim)
    canvas.shape(
        smooth(
            np.array(
                [
                    (-1.0, 0.05),
                    (-0.7, -0.8 * height),
                    (0.0, -1.15 * height),
                    (0.65, -0.2),
                    (0.65, 0.2),
                    (0.0, 1.15 * height),
                    (-0.7, 0.8 * height),
                ]
            )
        ),
        coat,
    )
    head = smooth(
        np.array(
            [
                (-0.97, 0.05),
                (-0.7, -0.72 * height),
                (-0.42, -0.75 * height),
                (-0.3, 0),
                (-0.42, 0.75 * height),
                (-0.7, 0.72 * height),
            ]
        )
    )
    canvas.shape(head, colours.lighter(skin, 0.25), outline=False)
    canvas.line(arc(0.14, 0.75 * height, -1.2, 1.2, 12, at=(-0.46, 0)), 0.04, colours.darker(skin, 0.5))
    with canvas.placed(-0.08, 0.06, 0.34, 0.3):
        parts.fin(canvas, colours.lighter(rim, 0.2), 3)
    with canvas.placed(-0.62, -0.14, rng.uniform(0.12, 0.17)):
        parts.eye(canvas, colours.deep(rng), (float(rng.uniform(-1, 0)), float(rng.uniform(-1, 1))))
    with canvas.placed(-0.84, 0.17):
        parts.mouth(canvas, 0.24, rng.uniform(-0.5, 1))
    for index in range(rng.integers(0, 4)):
        canvas.disc(-0.9 + 0.08 * index, -0.35 - 0.2 * index, 0.05 + 0.02 * index, paints.plain((0.85, 0.95, 1.0)))


def butterfly(canvas: Canvas, rng: np.random.Generator) -> None:
    wing, spot = colours.bright(rng), colours.pastel(rng)
    rim = colours.darker(wing, 0.65)
    upper = smooth(
        np.array([(0.05, -0.1), (0.35, -0.75), (0.85, -0.95), (1.0, -0.55), (0.75, -0.02)])
        * (1, rng.uniform(0.85, 1.05))
    )
    lower = smooth(np.array([(0.05, 0.0), (0.7, 0.0), (0.85, 0.4), (0.55, 0.85), (0.2, 0.5)]))
    vein = paints.rays(wing, colours.lighter(wing, 0.35), int(rng.integers(18, 30)))
    fill: Fill = vein if rng.uniform() < 0.6 else paints.dots(wing, spot, 0.22)
    radius = rng.uniform(0.13, 0.2)
    for flip in (False, True):
        with canvas.placed(0, 0, flip=flip):
            for blade in (lower, upper):
                canvas.shape(blade, rim)
                centre = blade.mean(axis=0)
                canvas.shape((blade - centre) * 0.8 + centre * 0.97, fill, outline=False)
            for x, y, size in ((0.68, -0.55, radius), (0.52, 0.4, 0.8 * radius)):
                canvas.disc(x, y, size, spot)
                canvas.disc(x, y, 0.6 * size, rim, outline=False)
                canvas.disc(x - 0.2 * size, y - 0.2 * size, 0.18 * size, WHITE, outline=False)
            canvas.line(smooth(np.array([(0.02, -0.45), (0.1, -0.8), (0.32, -0.95)]), 2, closed=False), 0.04, INK)
            canvas.disc(0.32, -0.95, 0.05, INK, outline=False)
    body = colours.darker(colours.pick(rng, FUR), 0.4)
    canvas.ellipse(0, 0.1, 0.09, 0.5, paints.stripes(body, colours.lighter(body, 0.35), 0.16, np.pi / 2))
    canvas.disc(0, -0.42, 0.12, body)
