from __future__ import annotations

import io

import pytest
from PIL import Image

from analysis.atlas.library import Library
from analysis.errors import StrataError
from dashboard import uploads
from dashboard.uploads import SAMPLES, keep_image, sample
from tests.dashboard.synthetic import pattern, png


def test_an_image_is_kept_once_by_its_content(own_shelf: Library) -> None:
    first, second = keep_image(png(pattern(1)), "a.png"), keep_image(png(pattern(1)), "b.png")
    assert first == second
    assert first.parent == own_shelf.root / "uploads"
    assert first.read_bytes() == png(pattern(1))
    assert keep_image(png(pattern(2))) != first


def test_the_ending_follows_the_content_not_the_name(own_shelf: Library) -> None:
    assert keep_image(png(pattern(1)), "photo.jpg").suffix == ".png"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an image",
        png(pattern(1))[:200],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"version https://git-lfs.github.com/spec/v1\n",
    ],
)
def test_what_is_no_image_is_refused_and_not_kept(own_shelf: Library, content: bytes) -> None:
    with pytest.raises(StrataError, match=r"photo\.jpg is not an image"):
        keep_image(content, "photo.jpg")
    assert not (own_shelf.root / "uploads").exists()


def test_an_enormous_image_is_refused_before_it_is_decoded(own_shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_PIXELS", 100)
    with pytest.raises(StrataError, match="million pixels"):
        keep_image(png(pattern(1)))


@pytest.mark.parametrize("title", SAMPLES)
def test_the_samples_are_photos(title: str) -> None:
    with Image.open(io.BytesIO(sample(title))) as photo:
        assert photo.size == (640, 427)
