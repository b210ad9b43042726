"""Images that people bring: checked, then kept below the library by the hash of their content."""

from __future__ import annotations

import hashlib
import io
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from analysis.atlas.files import write_atomically
from analysis.errors import StrataError
from dashboard.library import library

ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif"}
"""The formats that are taken, and how their files are called."""
MOST_PIXELS = 80_000_000
SAMPLES = {"Flower": "flower.jpg", "Temple": "china.jpg"}
"""The photos that scikit-learn carries."""


def keep_image(content: bytes, name: str = "This file") -> Path:
    """Write an image below the library's `uploads`, the same content once. Raises StrataError for anything else."""
    try:
        with Image.open(io.BytesIO(content), formats=list(ENDINGS)) as image:
            ending = ENDINGS[str(image.format)]
            pixels = image.width * image.height
            if pixels <= MOST_PIXELS:
                image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StrataError(f"{name} is not an image that can be read. Bring a JPEG, PNG or WebP.") from error
    if pixels > MOST_PIXELS:
        raise StrataError(f"{name} has {pixels / 1e6:.0f} million pixels. Bring one of at most {MOST_PIXELS // 10**6}.")
    path = library().root / "uploads" / f"{hashlib.sha256(content).hexdigest()[:32]}{ending}"
    if not path.exists():
        write_atomically(path, content)
    return path


def sample(title: str) -> bytes:
    """One of scikit-learn's photos, as the JPEG it is."""
    found = find_spec("sklearn")  # importing it would take a second, and only its photos are wanted
    if found is None or found.origin is None:
        raise StrataError("scikit-learn is not installed, so its photos are not there. Bring an image of your own.")
    return (Path(found.origin).parent / "datasets" / "images" / SAMPLES[title]).read_bytes()
