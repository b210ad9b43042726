"""Whatever kind of image file: upright, in [0, 1], with the model's channels and size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from analysis.models.input_spec import InputSpec
from analysis.probe import open_probe
from analysis.probe.errors import ProbeError
from analysis.probe.picture import Undecodable, decode_bytes, planes_of
from analysis.probe.prepare import prepare
from tests.probe.pictures import picture

SIZE = (12, 16)
SPEC = InputSpec(3, *SIZE, crop=1.0)
PIXELS = picture(5, SIZE)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def seen(content: bytes, name: str, spec: InputSpec = SPEC) -> np.ndarray:
    return prepare(decode_bytes(content, name), spec)


def as_planes(pixels: np.ndarray) -> np.ndarray:
    return pixels.transpose(2, 0, 1).astype(np.float32) / 255


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_colour(kind: str) -> None:
    found = seen(encoded(Image.fromarray(PIXELS), kind), f"a.{kind.lower()}")
    np.testing.assert_array_equal(found, as_planes(PIXELS))


def test_jpeg_webp_gif_are_near() -> None:
    for kind in ("JPEG", "WEBP", "GIF"):
        found = seen(encoded(Image.fromarray(PIXELS), kind), f"a.{kind.lower()}")
        assert np.abs(found - as_planes(PIXELS)).mean() < 0.06, kind


def test_grey_is_repeated_and_colour_becomes_grey() -> None:
    grey = PIXELS[:, :, 0]
    found = seen(encoded(Image.fromarray(grey), "PNG"), "a.png")
    np.testing.assert_array_equal(found, np.repeat(grey[None].astype(np.float32) / 255, 3, axis=0))
    one = seen(encoded(Image.fromarray(PIXELS), "PNG"), "a.png", InputSpec(1, *SIZE, crop=1.0))
    expected = np.asarray(Image.fromarray(PIXELS).convert("L"), np.float32)[None] / 255
    np.testing.assert_array_equal(one, expected)


def test_transparent_parts_are_seen_on_white_and_are_a_fourth_channel_where_one_is_wanted() -> None:
    rgba = np.dstack([PIXELS, np.full(SIZE, 255, np.uint8)])
    rgba[:4, :4, 3] = 0
    content = encoded(Image.fromarray(rgba), "PNG")
    found = seen(content, "a.png")
    assert (found[:, :4, :4] == 1).all()
    np.testing.assert_array_equal(found[:, 4:], as_planes(PIXELS)[:, 4:])
    four = seen(content, "a.png", InputSpec(4, *SIZE, crop=1.0))
    np.testing.assert_array_equal(four[3], rgba[:, :, 3] / np.float32(255))


def test_palette_with_transparency() -> None:
    image = Image.fromarray(PIXELS).quantize(16)
    found = seen(encoded(image, "PNG", transparency=0), "a.png")
    assert found.shape == (3, *SIZE)


def test_sixteen_bits_keep_their_depth() -> None:
    deep = np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE) * 300
    found = seen(encoded(Image.fromarray(deep), "PNG"), "a.png")
    np.testing.assert_allclose(found[0], deep / 65535, atol=1e-7)
    assert len(np.unique(found)) == deep.size


def test_cmyk() -> None:
    cmyk = Image.fromarray(PIXELS).convert("CMYK")
    found = seen(encoded(cmyk, "TIFF"), "a.tif", InputSpec(3, *SIZE, crop=1.0))
    assert np.abs(found - as_planes(PIXELS)).mean() < 0.02


def test_exif_rotation() -> None:
    image = Image.fromarray(PIXELS).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn right by 90° to view"
    content = encoded(image, "PNG", exif=exif)
    np.testing.assert_array_equal(seen(content, "a.png"), as_planes(PIXELS))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha"])
def test_grey_with_transparent_parts_is_grey_on_white(kind: type, alpha: str, tmp_path: Path) -> None:
    most = np.iinfo(kind).max
    grey, opaque = (np.random.default_rng(0).random((2, *SIZE)) * most).astype(kind) / most
    stored = grey * opaque if alpha == "assocalpha" else grey
    pixels = np.round(np.stack([stored, opaque], axis=2) * most).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", extrasamples=[alpha])
    (image,) = open_probe(str(tmp_path), channels=3).batch([0], SPEC).numpy()
    np.testing.assert_allclose(image, np.repeat((grey * opaque + 1 - opaque)[None], 3, axis=0), atol=1 / 255)


@pytest.mark.parametrize("channels", [2, 5, 7])
def test_multispectral(channels: int, tmp_path: Path) -> None:
    planes = np.random.default_rng(0).integers(0, 4096, (channels, *SIZE)).astype(np.uint16)
    spec = InputSpec(channels, *SIZE, (0.0,) * channels, (1.0,) * channels, order="planes", crop=1.0)
    tifffile.imwrite(tmp_path / "first.tif", planes, photometric="minisblack", planarconfig="separate")
    tifffile.imwrite(
        tmp_path / "last.tif",
        np.ascontiguousarray(planes.transpose(1, 2, 0)),
        photometric="minisblack",
        planarconfig="contig",
    )
    np.save(tmp_path / "array.npy", planes)
    probe = open_probe(str(tmp_path))
    assert probe.card.count == 3
    for image in probe.batch(range(3), spec).numpy():
        np.testing.assert_allclose(image, planes / np.float32(65535), atol=1e-7)
    with pytest.raises(ProbeError, match=f"{channels} channels and the model wants 3"):
        probe.batch([0], SPEC)


def test_scales_of_arrays() -> None:
    unit = np.linspace(0, 1, 12, dtype=np.float64).reshape(3, 4)
    np.testing.assert_allclose(planes_of(unit)[0], unit, atol=1e-7)
    np.testing.assert_allclose(planes_of(unit * 255)[0], unit, atol=1e-6)
    np.testing.assert_allclose(planes_of(unit > 0.5)[0], unit > 0.5)
    for bad in (unit - 0.5, unit * 1e6, unit * np.nan, np.array([["a"]]), np.zeros((2, 2, 2, 2)), np.zeros((0, 3))):
        with pytest.raises(Undecodable):
            planes_of(bad)


def test_resize_and_crop_are_torchvision_s() -> None:
    transforms = pytest.importorskip("analysis.models.torchvision_import").torchvision.transforms
    image = Image.fromarray(picture(3, (61, 90)))
    spec = InputSpec(3, 28, 28, crop=0.875)
    expected = transforms.CenterCrop(28)(transforms.Resize(32)(image))
    np.testing.assert_array_equal(prepare(image, spec), as_planes(np.asarray(expected)))


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (4000, 30), (3000, 2000)])
def test_tiny_huge_and_long_images(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size[::-1], (10, 200, 30))
    found = prepare(image, InputSpec(3, 24, 32, crop=0.875))
    assert found.shape == (3, 24, 32)
    np.testing.assert_allclose(
        found, np.broadcast_to(np.array([10, 200, 30])[:, None, None] / 255, found.shape), atol=0.01
    )


def test_planes_are_resized_like_pictures() -> None:
    image = Image.fromarray(picture(8, (40, 50)))
    spec = InputSpec(3, 16, 16, crop=0.8)
    planes = prepare(as_planes(np.asarray(image)), spec)
    assert np.abs(planes - prepare(image, spec)).max() < 0.02
