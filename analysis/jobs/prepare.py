"""From a build request to an atlas with a recorded plan. Runs on a worker: it opens the images."""

from __future__ import annotations

from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library, versions
from analysis.clock import now
from analysis.jobs.check import check_channel, check_layers
from analysis.jobs.plan import plan
from analysis.jobs.request import BuildRequest, RenderRequest
from analysis.models.model import ModelCard
from analysis.task import Task
from analysis.technique import Wanted


def prepare(library_root: str, request: BuildRequest) -> tuple[str, str]:
    """Returns the atlas's id and the plan's name in it. Planning the same request twice records it once.

    Raises StrataError for images that can not be opened, unknown layers, parameters out of bounds.
    """
    from analysis.probe import open_probe

    library = Library(library_root)
    card, _file = library.model(request.model)
    options = {"channels": card.input.channels, **request.image_options}
    probe = None if request.images is None else open_probe(request.images, **options).card
    wanted = _wanted(card, request)
    tasks = plan(card, probe, wanted, request.techniques)
    atlas = library.create_atlas(card, probe)
    return atlas.id, _recorded(atlas, request, tasks)


def prepare_render(library_root: str, request: RenderRequest) -> tuple[str, str]:
    """Plan the pictures of one unit in an atlas that is there; returns the atlas's id and the plan's name in it.

    Raises StrataError for an atlas, unit or parameter that there is not.
    """
    library = Library(library_root)
    atlas = library.atlas(request.atlas)
    check_channel(atlas.model, request.layer, request.channel)
    layer, head = ((), (request.layer,)) if atlas.model.is_head(request.layer) else ((request.layer,), ())
    wanted = Wanted(layer, (request.channel,), head)
    tasks = plan(atlas.model, atlas.probe, wanted, {"renders": request.parameters})
    return atlas.id, _recorded(atlas, request, tasks)


def _wanted(card: ModelCard, request: BuildRequest) -> Wanted:
    if request.layers is None:
        return Wanted(tuple(layer.name for layer in card.layers), request.channels, tuple(card.heads))
    check_layers(card, request.layers)
    heads = tuple(name for name in card.heads if name in request.layers and card.is_head(name))
    return Wanted(tuple(layer.name for layer in card.layers if layer.name in request.layers), request.channels, heads)


def _recorded(atlas: Atlas, request: BuildRequest | RenderRequest, tasks: list[Task]) -> str:
    """The name of the plan of these tasks: the last one where that is the same, else one made now."""
    last = atlas.last_build()
    if last is not None and [task.key for task in atlas.planned(last)] == [task.key for task in tasks]:
        return last
    facts = {"created": now(), "request": request.model_dump(mode="json"), "versions": dict(versions())}
    return atlas.add_build(facts, tasks)
