"""Where a thing stands: a background of textures and clutter, cloud noise, and the light over it all."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sample_models.doodles import colours, paints


def background(rng: np.random.Generator, pixels: int, oversampling: int) -> Image.Image:
    """[pixels · oversampling] ² RGB: one of several grounds, clouded by 1/f noise, with some clutter.

    Grounds are soft, so they are painted at `pixels`; only the clutter's edges need the finer grid.
    """
    image = Image.fromarray(np.round(np.clip(_ground(rng, pixels), 0, 1) * 255).astype(np.uint8))
    image = image.resize((pixels * oversampling, pixels * oversampling), Image.Resampling.BICUBIC)
    if rng.uniform() < 0.6:
        _clutter(rng, image)
    if rng.uniform() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.005, 0.02) * image.width))
    return image


def _ground(rng: np.random.Generator, pixels: int) -> np.ndarray:
    """[pixels, pixels, 3] float."""
    y, x = np.mgrid[-1 : 1 : pixels * 1j, -1 : 1 : pixels * 1j].astype(np.float32)
    far, near = colours.hue(rng, (0.05, 0.3), (0.75, 1.0)), colours.hue(rng, (0.1, 0.45), (0.4, 0.85))
    kind = rng.integers(4)
    if kind == 0:  # sky and ground
        horizon = rng.uniform(0.0, 0.7)
        sky = paints.gradient(far, colours.lighter(far), np.pi / 2)(x, y)
        land = paints.any_pattern(rng, near, colours.darker(near, 0.2), rng.uniform(0.08, 0.25))(x, y)
        picture = np.where((y > horizon + 0.05 * np.sin(4 * x + rng.uniform(0, 6)))[..., None], land, sky)
    elif kind == 1:  # wallpaper
        second = colours.mix(near, far, rng.uniform(0.2, 0.6))
        picture = paints.any_pattern(rng, near, second, rng.uniform(0.12, 0.5))(x, y)
    elif kind == 2:  # paper
        picture = paints.gradient(far, colours.lighter(far), rng.uniform(0, 6))(x, y)
    else:  # two patterns meet at a slanted edge
        angle, shift = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5)
        one = paints.any_pattern(rng, far, colours.darker(far, 0.15), rng.uniform(0.1, 0.4))(x, y)
        other = paints.any_pattern(rng, near, colours.lighter(near, 0.2), rng.uniform(0.1, 0.4))(x, y)
        picture = np.where((x * np.cos(angle) + y * np.sin(angle) > shift)[..., None], one, other)
    return picture + rng.uniform(0.02, 0.09) * clouds(rng, pixels)[..., None]


def clouds(rng: np.random.Generator, pixels: int, decay: float = 1.6) -> np.ndarray:
    """[pixels, pixels] noise of unit variance whose amplitude falls with frequency as 1/f^decay."""
    rows, columns = np.fft.fftfreq(pixels)[:, None], np.fft.rfftfreq(pixels)[None]
    frequency = np.maximum(np.hypot(rows, columns), 1 / pixels)
    white = rng.standard_normal((pixels, pixels // 2 + 1)) + 1j * rng.standard_normal((pixels, pixels // 2 + 1))
    noise = np.fft.irfft2(white * frequency**-decay, s=(pixels, pixels))
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def _clutter(rng: np.random.Generator, image: Image.Image) -> None:
    """Discs, bars and scraps that belong to nothing."""
    draw = ImageDraw.Draw(image)
    size = image.width
    for _ in range(rng.integers(2, 9)):
        colour = tuple(round(255 * channel) for channel in colours.hue(rng, (0.1, 0.9), (0.3, 1.0)))
        x, y, r = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0.02, 0.1) * size
        kind = rng.integers(3)
        if kind == 0:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        elif kind == 1:
            angle = rng.uniform(0, np.pi)
            tip = (x + 3 * r * np.cos(angle), y + 3 * r * np.sin(angle))
            draw.line([(x, y), tip], fill=colour, width=max(2, round(0.3 * r)))
        else:
            turned = rng.uniform(0, 2 * np.pi) + np.arange(3) * 2.1
            draw.polygon([(x + r * np.cos(a), y + r * np.sin(a)) for a in turned], fill=colour)


def compose(rng: np.random.Generator, ground: Image.Image, thing: Image.Image, size: int) -> np.ndarray:
    """Thing over ground with a cast shadow, shaded as if a little thick, lit, and brought down to [size, size, 3]."""
    pixels = ground.width
    light = rng.uniform(0, 2 * np.pi)
    alpha = thing.getchannel("A")
    soft = alpha.filter(ImageFilter.GaussianBlur(0.025 * pixels))
    if rng.uniform() < 0.75:
        reach = rng.uniform(0.01, 0.05) * pixels
        shadow = Image.new("L", ground.size, 0)
        shadow.paste(soft, (round(-reach * np.cos(light)), round(-reach * np.sin(light))))
        strength = rng.uniform(0.25, 0.6)
        ground = Image.composite(
            Image.new("RGB", ground.size, (20, 18, 30)), ground, shadow.point(lambda a: int(a * strength))
        )
    ground.paste(thing, (0, 0), alpha)
    picture = np.asarray(ground.resize((size, size), Image.Resampling.BOX), np.float32) / 255
    picture *= _shade(rng, soft.resize((size, size), Image.Resampling.BOX), light)[..., None]
    exposure, gamma = rng.uniform(0.85, 1.15), rng.uniform(0.8, 1.25)
    tint = rng.uniform(0.93, 1.07, 3)
    picture = np.clip(picture * exposure * tint, 0, 1) ** gamma
    picture += rng.normal(0, rng.uniform(0.002, 0.012), picture.shape)
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _shade(rng: np.random.Generator, soft: Image.Image, light: float) -> np.ndarray:
    """[size, size] factor: brighter towards the light, and a rim where the thing's soft edge faces it."""
    height = np.asarray(soft, np.float32) / 255
    size = height.shape[0]
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    slope_y, slope_x = np.gradient(height)
    rim = -(slope_x * np.cos(light) + slope_y * np.sin(light)) * height
    return 1 + rng.uniform(0.0, 0.22) * (x * np.cos(light) + y * np.sin(light)) + rng.uniform(1.0, 3.5) * rim
