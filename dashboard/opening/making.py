"""A model put into the library and its build filed, beside the page that asked: whoever leaves it loses nothing."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from analysis.jobs.request import BuildRequest, possible
from analysis.models.model import ModelCard
from dashboard.library import file_job, library
from dashboard.opening import streams
from dashboard.opening.sources import image_set

AT_ONCE = 2
_aside = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="making")


def begin(card: ModelCard, file: Path, source: str, images: str, channels: int | None, pictures: bool) -> Future[str]:
    """The id of the build's job, as it will be; its exception may be a StrataError.

    source, images : what the page's address calls the file and the images
    channels       : of each layer, None for all
    """
    return _aside.submit(_make, card, file, source, images, channels, pictures)


def _make(card: ModelCard, file: Path, source: str, images: str, channels: int | None, pictures: bool) -> str:
    path = image_set(images)  # a sample's are drawn now, which takes seconds
    library().add_model(card, file)
    techniques = [name for name in possible(card.weights_only, path is not None) if pictures or name != "features"]
    request = BuildRequest(
        model=card.id,
        images=None if path is None else str(path),
        channels=None if channels is None else tuple(range(channels)),
        techniques={name: {} for name in techniques},
    )
    job = file_job("build", request.model_dump(mode="json"))
    if source.startswith("upload/"):
        streams.forget(source.removeprefix("upload/"))
    return job.id
