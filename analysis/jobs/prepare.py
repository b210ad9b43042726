"""From a build request to an atlas with a recorded plan. Runs on a worker: it opens the images."""

from __future__ import annotations

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library, versions
from analysis.clock import now
from analysis.jobs.plan import plan
from analysis.jobs.request import BuildRequest
from analysis.models.model import ModelCard
from analysis.technique import Wanted


def prepare(library_root: str, request: BuildRequest) -> str:
    """Returns the atlas's id. Planning the same request twice records it once.

    Raises StrataError for images that can not be opened, unknown layers, parameters out of bounds.
    """
    from analysis.probe import open_probe

    library = Library(library_root)
    card, _file = library.model(request.model)
    probe = None if request.images is None else open_probe(request.images, **request.image_options).card
    wanted = Wanted(_layers(card, request), request.channels)
    tasks = plan(card, probe, wanted, request.techniques)
    atlas = library.create_atlas(card, probe)
    if not _recorded(atlas, [task.key for task in tasks]):
        atlas.add_build(
            {"created": now(), "request": request.model_dump(mode="json"), "versions": dict(versions())}, tasks
        )
    return atlas.id


def _layers(card: ModelCard, request: BuildRequest) -> tuple[str, ...]:
    if request.layers is None:
        return tuple(layer.name for layer in card.layers)
    for name in request.layers:
        card.layer(name)
    return tuple(layer.name for layer in card.layers if layer.name in request.layers)


def _recorded(atlas: Atlas, keys: list[str]) -> bool:
    builds = atlas.builds()
    return (
        bool(builds)
        and len(builds[-1]["tasks"]) == len(keys)
        and [task.key for task in atlas.tasks()][-len(keys) :] == keys
    )
