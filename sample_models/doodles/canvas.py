"""The sheet a thing is drawn on: shapes in unit coordinates, posed by one affine map."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageDraw

from sample_models.doodles.colours import INK, Colour
from sample_models.doodles.paints import Paint

Fill = Colour | Paint


def turn(angle: float) -> np.ndarray:
    """[2, 2] rotation, radians, clockwise on the screen (y points down)."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def arc(
    radius_x: float,
    radius_y: float,
    start: float = 0.0,
    stop: float = 2 * np.pi,
    points: int = 36,
    at: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """[points, 2] along an ellipse about `at`."""
    angles = np.linspace(start, stop, points)
    return np.stack([at[0] + radius_x * np.cos(angles), at[1] + radius_y * np.sin(angles)], axis=1)


def smooth(corners: np.ndarray, rounds: int = 3, closed: bool = True) -> np.ndarray:
    """Corner cutting (Chaikin 1974): a few corners → a soft curve."""
    for _ in range(rounds):
        following = np.roll(corners, -1, axis=0)
        pairs = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], axis=1)
        corners = pairs.reshape(-1, 2) if closed else np.vstack([corners[:1], pairs[:-1].reshape(-1, 2), corners[-1:]])
    return corners


class Canvas:
    """A square RGBA sheet of `pixels` a side. The thing is drawn in [−1, 1]²; `matrix` and `shift` pose it."""

    def __init__(self, pixels: int, matrix: np.ndarray, shift: np.ndarray, pen: float, ink: Colour = INK) -> None:
        self.image = Image.new("RGBA", (pixels, pixels), (0, 0, 0, 0))
        self.pixels = pixels
        self.matrix, self.shift = matrix * pixels / 2, shift * pixels / 2 + pixels / 2
        self.pen, self.ink = pen, ink
        self._draw = ImageDraw.Draw(self.image)

    @contextmanager
    def placed(self, x: float, y: float, scale: float = 1.0, angle: float = 0.0, flip: bool = False) -> Iterator[None]:
        """Inside, the origin is (x, y) and everything is scaled, turned and perhaps mirrored about it."""
        matrix, shift, pen = self.matrix, self.shift, self.pen
        self.shift = matrix @ np.array([x, y]) + shift
        self.matrix = matrix @ turn(angle) * scale @ np.diag([-1.0 if flip else 1.0, 1.0])
        yield
        self.matrix, self.shift, self.pen = matrix, shift, pen

    def shape(self, points: np.ndarray, fill: Fill, outline: bool = True) -> None:
        """A closed shape, [n, 2] unit coordinates."""
        on_sheet = points @ self.matrix.T + self.shift
        corners = [(float(x), float(y)) for x, y in on_sheet]
        if callable(fill):
            self._paint(on_sheet, corners, fill)
        else:
            self._draw.polygon(corners, fill=_bytes(fill))
        if outline and self.pen > 0:
            self._stroke([*corners, corners[0], corners[1]], self.pen, self.ink)

    def ellipse(
        self, x: float, y: float, radius_x: float, radius_y: float, fill: Fill, angle: float = 0.0, outline: bool = True
    ) -> None:
        self.shape(arc(radius_x, radius_y) @ turn(angle).T + (x, y), fill, outline)

    def disc(self, x: float, y: float, radius: float, fill: Fill, outline: bool = True) -> None:
        self.ellipse(x, y, radius, radius, fill, outline=outline)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Fill, outline: bool = True) -> None:
        self.shape(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]), fill, outline)

    def line(self, points: np.ndarray | list[tuple[float, float]], width: float, colour: Colour) -> None:
        """An open line; `width` in unit coordinates."""
        on_sheet = np.asarray(points, float) @ self.matrix.T + self.shift
        scale = float(np.sqrt(abs(np.linalg.det(self.matrix))))
        self._stroke([(float(x), float(y)) for x, y in on_sheet], width * scale, colour)

    def _stroke(self, corners: list[tuple[float, float]], width: float, colour: Colour) -> None:
        thick = max(1, round(width))
        self._draw.line(corners, fill=_bytes(colour), width=thick, joint="curve")

    def _paint(self, on_sheet: np.ndarray, corners: list[tuple[float, float]], paint: Paint) -> None:
        left, top = np.clip(np.floor(on_sheet.min(axis=0)), 0, self.pixels - 1).astype(int)
        right, bottom = np.clip(np.ceil(on_sheet.max(axis=0)) + 1, 1, self.pixels).astype(int)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (int(right - left), int(bottom - top)), 0)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in corners], fill=255)
        y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
        u, v = np.tensordot(np.linalg.inv(self.matrix), np.stack([x - self.shift[0], y - self.shift[1]]), axes=1)
        pixels = np.round(np.clip(paint(u, v), 0, 1) * 255).astype(np.uint8)
        self.image.paste(Image.fromarray(pixels), (int(left), int(top)), mask)


def _bytes(colour: Colour) -> tuple[int, int, int, int]:
    red, green, blue = (round(255 * channel) for channel in colour)
    return red, green, blue, 255
