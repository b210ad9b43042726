"""What `make run` finds on a fresh machine: two checkpoints of the sample net and the photo net, ready to be built.

Draws the sample's images, puts the models into the library, with an empty atlas each, and files their builds; the
engine that `strata serve` starts does them while the dashboard is already open. On a second run there is nothing to do,
and it takes no time.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from analysis.atlas.library import Library
from analysis.jobs.request import EVERYTHING, BuildRequest
from analysis.jobs.table import Jobs
from sample_models.catalog import DEFAULT, SAMPLES, Sample, draw_probe

DREAMER = "photos"
"""A sample without images of its own: nothing is built of it, but it dreams best."""


def file_sample_builds(library: Library) -> None:
    """Put the samples into the library and file what is still to be built of them."""
    jobs = Jobs(library.database_url)
    images = library.root / "samples" / DEFAULT[0]
    # beside the opening of the models, which needs the other core
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        drawn = None if images.exists() else beside.submit(draw_probe, images, DEFAULT[0])
        ids = {name: _model_id(library, SAMPLES[name]) for name in (*DEFAULT, DREAMER)}
        if drawn is not None:
            print("  drawing the images they are measured on", flush=True)
            drawn.result()
    unfinished = [name for name in DEFAULT if _unfinished(library, ids[name])]
    _lay_out(library, [ids[name] for name in unfinished], images)
    for name in unfinished:
        jobs.submit("build", _request(ids[name], images, later=name != DEFAULT[0]))


def _lay_out(library: Library, model_ids: Sequence[str], images: Path) -> None:
    """Empty atlases, so that the first screen shows what is coming; the first model's last, since the newest stands
    first everywhere."""
    from analysis.probe import open_probe

    probe = open_probe(str(images)).card if model_ids else None
    for model_id in reversed(model_ids):
        library.create_atlas(library.model(model_id)[0], probe)


def _model_id(library: Library, sample: Sample) -> str:
    """The id of the sample's model in the library, put there if it is not there yet."""
    digest = hashlib.sha256(sample.file.read_bytes()).hexdigest()
    for card in library.models():
        if card.sha256 == digest:
            return card.id
    from analysis.models.open import open_model

    print(f"  {sample.title}: {sample.story}", flush=True)
    card = open_model(sample.file, input_spec=sample.input).card
    library.add_model(card, sample.file)
    return card.id


def _request(model_id: str, images: Path, later: bool) -> dict[str, object]:
    """Everything, each picture tried once: the first atlas should be there soon. Nobody waits for sketches of what
    comes later."""
    techniques: dict[str, dict[str, object]] = {name: {} for name in EVERYTHING}
    techniques["features"] = {"retries": 0, **({"sketch": 0} if later else {})}
    request = BuildRequest(model=model_id, images=str(images), techniques=techniques, later=later)
    return request.model_dump(mode="json")


def _unfinished(library: Library, model_id: str) -> bool:
    """True unless an atlas of the model is whole, but for what failed."""
    counts = [atlas.progress() for atlas in library.atlases() if atlas.model.id == model_id]
    return not any(each and all(one.done + one.failed == one.total for one in each) for each in counts)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--library", type=Path, default=Path("library"))
    file_sample_builds(Library(options.parse_args().library))


if __name__ == "__main__":
    main()
