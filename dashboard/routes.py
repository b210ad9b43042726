"""Pictures over HTTP: files of atlases never change once they are there, so a browser may keep them for good."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from analysis.atlas.files import is_local
from analysis.errors import StrataError
from dashboard.library import library
from dashboard.opening import streams
from sample_models.catalog import SAMPLES

PICTURES = {".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""Nothing else leaves the server by these routes."""
FOR_GOOD = "private, max-age=31536000, immutable"
ASK_EACH_TIME = "private, no-cache"


def atlas_file(request: Request) -> Response:
    """GET /atlas/<atlas id>/<path below the atlas>."""
    try:
        path = library().atlas(request.path_params["atlas"]).path(request.path_params["path"])
    except StrataError as error:
        return PlainTextResponse(str(error), status_code=404)
    return _picture(path, FOR_GOOD)


def dream_file(request: Request) -> Response:
    """GET /dreams/<job id>/<file>; with ?download as a file to keep."""
    folder = library().dream_folder(request.path_params["job"]).resolve()
    path = (folder / request.path_params["file"]).resolve()
    if folder.parent != library().dream_folder("-").resolve().parent or path.parent != folder:
        return PlainTextResponse("There is no such picture.", status_code=404)
    name = f"strata-{folder.name}-{path.name}" if "download" in request.query_params else None
    return _picture(path, ASK_EACH_TIME, name)


def look_file(request: Request) -> Response:
    """GET /looks/<key>/<file>: a key names all that a picture depends on, so pictures never change."""
    folder = library().look_folder(request.path_params["key"]).resolve()
    path = (folder / request.path_params["file"]).resolve()
    if folder.parent != library().look_folder("-").resolve().parent or path.parent != folder:
        return PlainTextResponse("There is no such picture.", status_code=404)
    return _picture(path, FOR_GOOD)


def sample_file(request: Request) -> Response:
    """GET /samples/<name>.webp: what the channels of a sample look for."""
    sample = SAMPLES.get(request.path_params["name"])
    if sample is None:
        return PlainTextResponse("There is no such sample.", status_code=404)
    return _picture(sample.picture, ASK_EACH_TIME)


def _picture(path: Path, cache: str, download_as: str | None = None) -> Response:
    kind = PICTURES.get(path.suffix.lower())
    if kind is None or not path.is_file():
        return PlainTextResponse("There is no such picture.", status_code=404)
    headers = {"Cache-Control": cache, "X-Content-Type-Options": "nosniff"}
    if is_local(path):
        return FileResponse(path, media_type=kind, headers=headers, filename=download_as)
    if download_as is not None:
        headers["Content-Disposition"] = f'attachment; filename="{download_as}"'
    return Response(path.read_bytes(), media_type=kind, headers=headers)


ROUTES = [
    Route("/atlas/{atlas}/{path:path}", atlas_file),
    Route("/dreams/{job}/{file}", dream_file),
    Route("/looks/{key}/{file}", look_file),
    Route("/samples/{name}.webp", sample_file),
    *streams.ROUTES,
]
