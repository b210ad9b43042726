"""Which files leave the server, and how long a browser keeps them."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from analysis.atlas.library import Library
from dashboard.routes import ROUTES
from tests.dashboard.synthetic import pattern, png


def get(path: str, query: str = "") -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of a GET of a path that is already percent-decoded, as a server hands it on."""
    messages: list[Message] = []

    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await anyio.sleep_forever()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": [], "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    anyio.run(Starlette(routes=ROUTES), scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    return messages[0]["status"], headers, b"".join(message.get("body", b"") for message in messages[1:])


def a_sheet(shelf: Library) -> tuple[str, Path]:
    atlas = shelf.atlas("tiny-abababab")
    file = next(atlas.root.glob("features/*/*/sheet.webp"))
    return f"/atlas/{atlas.id}/{file.relative_to(atlas.root)}", file


def test_a_sheet_is_served_to_be_kept_for_good(shelf: Library) -> None:
    path, file = a_sheet(shelf)
    status, headers, body = get(path)
    assert status == 200
    assert body == file.read_bytes()
    assert headers["content-type"] == "image/webp"
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/atlas/tiny-abababab/atlas.json",
        "/atlas/tiny-abababab/../../jobs.sqlite",
        "/atlas/tiny-abababab/../tiny-later-cdcdcdcd.12121212/atlas.json",
        "/atlas/tiny-abababab//etc/passwd",
        "/atlas/tiny-abababab/features/none.webp",
        "/atlas/nowhere/features/none.webp",
        "/dreams/../jobs.sqlite",
        "/dreams/../original.png",
        "/dreams/none/original.png",
    ],
)
def test_nothing_else_is_served(shelf: Library, path: str) -> None:
    status, _, body = get(path)
    assert status == 404
    assert b"Traceback" not in body


def test_only_pictures_leave_even_from_inside_an_atlas(shelf: Library) -> None:
    path, _ = a_sheet(shelf)
    assert get(path.replace("sheet.webp", "task.json"))[0] == 404
    assert get(path.replace("sheet.webp", "features.parquet"))[0] == 404


def test_a_link_out_of_an_atlas_is_not_followed(shelf: Library, tmp_path: Path) -> None:
    secret = tmp_path / "secret.webp"
    secret.write_bytes(b"secret")
    _, file = a_sheet(shelf)
    link = file.with_name("link.webp")
    link.symlink_to(secret)
    try:
        assert get(f"/atlas/tiny-abababab/{link.relative_to(shelf.atlas('tiny-abababab').root)}")[0] == 404
    finally:
        link.unlink()


def test_dreams_are_asked_for_each_time_and_can_be_kept(own_shelf: Library) -> None:
    folder = own_shelf.dream_folder("abc")
    folder.mkdir(parents=True)
    (folder / "final.png").write_bytes(png(pattern(1)))
    status, headers, _ = get("/dreams/abc/final.png")
    assert (status, headers["cache-control"]) == (200, "private, no-cache")
    assert "content-disposition" not in headers
    assert "strata-abc-final.png" in get("/dreams/abc/final.png", "download")[1]["content-disposition"]


def test_a_samples_picture_is_served_and_no_other_file_of_its_folder() -> None:
    status, headers, body = get("/samples/doodles.webp")
    assert (status, headers["content-type"], body[:4]) == (200, "image/webp", b"RIFF")
    assert get("/samples/none.webp")[0] == 404
    assert get("/samples/../weights/doodles.webp")[0] == 404
