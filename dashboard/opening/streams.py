"""Uploads as they come: from the network to the disk, a piece at a time; a file of any size costs no memory."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlparse

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from analysis.atlas.artifacts import file_name
from analysis.errors import StrataError
from dashboard.library import library
from dashboard.opening.allowed import FOLDERS, Kind
from dashboard.opening.unpack import SPARE, unpacked
from dashboard.uploads import keep_image

LARGEST = 8 * 2**30
"""Bytes of one upload, unless STRATA_LARGEST_UPLOAD says otherwise."""
PHOTO: Literal["photo"] = "photo"
"""A single image that somebody brings to look at."""
LARGEST_PHOTO = 128 * 2**20
"""Bytes of one; it is decoded in memory."""
PIECE = 2**20
"""Bytes that are written at once."""
FORGOTTEN = 3 * 24 * 3600
"""Seconds after which a model that was brought and never used is removed."""


def largest() -> int:
    return int(os.environ.get("STRATA_LARGEST_UPLOAD") or LARGEST)


async def bring(request: Request) -> Response:
    """PUT /bring/<models|images|photo>?name=<file name>: the body as it is.

    Answers {"id": …}, as `brought` takes it; of a photo the name of its file below the library's `uploads`.
    """
    kind, name = request.path_params["kind"], request.query_params.get("name", "")
    if kind not in (*FOLDERS, PHOTO):
        return PlainTextResponse("Bring models or images.", status_code=404)
    if not _same_origin(request):
        return PlainTextResponse("Uploads come from Strata's own pages.", status_code=403)
    folder = _shelf(kind) / uuid.uuid4().hex[:16]
    try:
        _check_size(int(request.headers.get("content-length") or 0), kind)
        await to_thread.run_sync(_forget, kind)
        await _write(request.stream(), folder / file_name(Path(name).name or "file"), kind)
        if kind == "images":
            await to_thread.run_sync(unpacked, folder)
        if kind == PHOTO:
            return JSONResponse({"id": await to_thread.run_sync(_kept, folder)})
    except ClientDisconnect:
        shutil.rmtree(folder, ignore_errors=True)
        return Response(status_code=400)
    except (StrataError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        disk = f"The disk did not take it ({getattr(error, 'strerror', error)}). Try again."
        return PlainTextResponse(str(error) if isinstance(error, StrataError) else disk, status_code=400)
    return JSONResponse({"id": folder.name})


def _kept(folder: Path) -> str:
    """The one image that an upload left, checked and kept by its content. Raises StrataError for anything else."""
    (file,) = folder.iterdir()
    try:
        return keep_image(file.read_bytes(), file.name).name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def brought(kind: Kind, upload: str) -> Path:
    """What an upload left: the file, or the folder that it was unpacked to. Raises StrataError where there is none."""
    folder = _shelf(kind) / upload
    inside = sorted(folder.iterdir()) if upload.isalnum() and folder.is_dir() else []
    if not inside:
        raise StrataError("This upload is not there any more. Bring the file again.")
    return inside[0]


def forget(upload: str) -> None:
    """Remove a model that was brought: the library has it by now."""
    if upload.isalnum():
        shutil.rmtree(_shelf("models") / upload, ignore_errors=True)


async def _write(stream: AsyncIterator[bytes], path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True)
    waiting, total = bytearray(), 0
    with path.open("wb") as file:
        async for piece in stream:
            waiting += piece
            total += len(piece)
            _check_size(total, kind)
            if len(waiting) >= PIECE:
                await to_thread.run_sync(file.write, bytes(waiting))
                waiting.clear()
        await to_thread.run_sync(file.write, bytes(waiting))
    if not total:
        raise StrataError("This file is empty. Bring another one.")


def _check_size(size: int, kind: str) -> None:
    if kind == PHOTO and size > LARGEST_PHOTO:
        raise StrataError(f"This file is larger than {LARGEST_PHOTO // 2**20} MiB. Bring a smaller image.")
    if size > largest():
        raise StrataError(
            f"This file is larger than the {largest() / 2**30:.1f} GiB that this server takes. "
            "Put it into a folder of the server, and open it from there."
        )
    root = library().desk
    root.mkdir(parents=True, exist_ok=True)
    if size + SPARE > shutil.disk_usage(root).free:
        raise StrataError("The server's disk has no room for this file. Ask its operator to make some.")


def _same_origin(request: Request) -> bool:
    """Browsers say where a page that sends something is from; other programs say nothing."""
    origin = request.headers.get("origin")
    return origin is None or urlparse(origin).netloc == request.headers.get("host")


def _shelf(kind: str) -> Path:
    return library().desk / "uploads" / kind


def _forget(kind: str) -> None:
    """Models that nobody used. Images stay: an atlas may be measured on them."""
    shelf = _shelf(kind)
    if kind == "models" and shelf.is_dir():
        for folder in shelf.iterdir():
            if time.time() - folder.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(folder, ignore_errors=True)


ROUTES = [Route("/bring/{kind:str}", bring, methods=["PUT"])]
