"""What a library is kept in order with: strata library | verify | delete | gc | export | import."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from analysis.amounts import in_bytes
from analysis.console import err, out, print_table
from analysis.errors import StrataError
from analysis.options import DATABASE, HERE, LIBRARY

if TYPE_CHECKING:
    from analysis.atlas.atlas import Atlas

NAME = Annotated[str, typer.Argument(help="An atlas or model of the library.", show_default=False)]
YES = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
NAMED = 20
"""Damages that are printed one by one."""


def list_library(library: LIBRARY = HERE) -> None:
    """List the atlases of a library: how far each is, when it was made, how much room it takes."""
    from analysis.atlas.clean import size_of
    from analysis.atlas.library import Library

    rows = []
    for atlas in Library(library).found().all_atlases():
        try:
            _tell_damaged_plans(atlas)
            progress = atlas.progress()
            done, total = (sum(getattr(each, name) for each in progress) for name in ("done", "total"))
            failed = sum(each.failed for each in progress)
            images = "–" if atlas.probe is None else f"{atlas.probe.count:,}"
            state = f"{100 * done // total} %" if total else "planned"
            rows.append(
                (atlas.id, state, str(failed or "–"), images, atlas.created[:16], in_bytes(size_of(atlas.root)))
            )
        except StrataError as error:
            rows.append((atlas.id, "can not be read", "", "", "", in_bytes(size_of(atlas.root))))
            err.print(str(error), markup=False)
    if not rows:
        raise StrataError("The library is empty. Build an atlas with `strata build MODEL --images FOLDER`.")
    print_table(pd.DataFrame(rows, columns=["atlas", "made", "failed", "images", "created", "size"]))


def verify(
    name: Annotated[str | None, typer.Argument(help="An atlas; all of them where none is named.")] = None,
    library: LIBRARY = HERE,
    only_look: Annotated[bool, typer.Option("--only-look", help="Name damages, leave them where they are.")] = False,
) -> None:
    """Name every damaged or missing piece, and what failed; the damaged are set aside, the next build makes them."""
    from analysis.atlas.artifacts import folder_of
    from analysis.atlas.library import Library
    from analysis.atlas.verify import NOT_THERE, set_aside
    from analysis.atlas.verify import verify as find

    shelf = Library(library).found()
    atlases = shelf.all_atlases() if name is None else [shelf.atlas(name)]
    found = failed = 0
    for atlas in atlases:
        damages = list(find(shelf, atlas))
        failures = atlas.failures()
        for damage in damages[:NAMED]:
            print(f"{damage.path}: {damage.what}")
        if len(damages) > NAMED:
            rest = Counter("missing" if each.what == NOT_THERE else "damaged" for each in damages[NAMED:])
            print("and " + ", ".join(f"{count} more {what}" for what, count in rest.items()))
        if not only_look:
            set_aside(atlas, damages)
        for task, reason in failures[:NAMED]:
            print(f"atlases/{atlas.id}/{folder_of(task)}: could not be made: {reason}")
        if len(failures) > NAMED:
            print(f"and {len(failures) - NAMED} more could not be made")
        found += len(damages)
        failed += len(failures)
    tried = "" if not failed else "; 1 task failed" if failed == 1 else f"; {failed} tasks failed"
    if found:
        things = "1 piece is" if found == 1 else f"{found} pieces are"
        raise StrataError(f"{things} damaged or missing{tried}. Build the atlas again: what is whole is kept.")
    names = ", ".join(atlas.id for atlas in atlases) or "no atlas"
    out.print(f"{names}: nothing damaged or missing{tried}", soft_wrap=True, markup=False)


def delete(name: NAME, library: LIBRARY = HERE, database: DATABASE = None, yes: YES = False) -> None:
    """Delete an atlas, for good. Its model stays until `strata gc`."""
    from analysis.atlas.clean import delete as remove
    from analysis.atlas.clean import size_of
    from analysis.atlas.library import Library
    from analysis.jobs.table import Jobs

    shelf = Library(library, database)
    # an atlas that can not be read can be deleted
    exact = {atlas.id: atlas for atlas in shelf.all_atlases()}
    atlas = exact[name] if name in exact else shelf.atlas(name)
    jobs = Jobs(shelf.database_url)
    making = [job for job in jobs.unfinished() if job.result.get("atlas") == atlas.id]
    for job in making:
        if not jobs.lost(job):
            raise StrataError(
                f"The atlas {atlas.id} is being built. Stop that with `strata cancel {job.id}`, or wait for its end."
            )
    if not yes and not typer.confirm(f"Delete {atlas.id} ({in_bytes(size_of(atlas.root))})?"):
        raise StrataError("Nothing was deleted. Answer y, or give --yes, to delete it.")
    for job in making:
        jobs.cancel(job.id)  # its engine is lost; the next one would make the atlas again
    remove(atlas)
    print(f"deleted {atlas.id}")


def gc(library: LIBRARY = HERE, database: DATABASE = None, yes: YES = False) -> None:
    """Free what no atlas and no job refers to, and what was only made to make something else."""
    from analysis.atlas.clean import garbage
    from analysis.atlas.files import remove
    from analysis.atlas.library import Library
    from analysis.jobs.table import Jobs

    shelf = Library(library, database).found()
    for atlas in shelf.atlases():
        _tell_damaged_plans(atlas)
    refers = Jobs(shelf.database_url).references()
    found = list(garbage(shelf, refers.models, refers.jobs, refers.files, refers.looks))
    sizes: Counter[str] = Counter()
    for each in found:
        sizes[each.why] += each.size
    for why, size in sizes.most_common():
        print(f"{in_bytes(size):>10}  {why}")
    if found and not yes and not typer.confirm(f"Free {in_bytes(sum(sizes.values()))}?"):
        raise StrataError("Nothing was freed. Answer y, or give --yes, to free it.")
    for each in found:
        remove(each.path)
    print(f"freed {in_bytes(sum(sizes.values()))}")


def export(
    name: NAME,
    file: Annotated[Path, typer.Argument(help="Where the bundle goes: a .zip file.", show_default=False)],
    library: LIBRARY = HERE,
) -> None:
    """Write an atlas with everything it needs into one .zip, to be imported elsewhere."""
    from analysis.atlas.bundle import export_atlas
    from analysis.atlas.library import Library

    if file.suffix.lower() != ".zip":
        raise StrataError(f"A bundle is a .zip file, {file.name} is not called one. Name one that ends in .zip.")
    shelf = Library(library)
    lacking = export_atlas(shelf, shelf.atlas(name), file)
    if lacking is not None:
        err.print(
            f"note: the model is not in the bundle, so where it is imported it can be looked at and not built "
            f"further: {lacking}",
            markup=False,
        )
    print(f"{file} ({in_bytes(file.stat().st_size)})")


def import_(
    file: Annotated[Path, typer.Argument(help="A bundle that `strata export` made.", show_default=False)],
    library: LIBRARY = HERE,
) -> None:
    """Put the atlas of a bundle into the library."""
    from analysis.atlas.bundle import import_atlas
    from analysis.atlas.library import Library

    if not file.is_file():
        raise StrataError(f"There is no file {file}. Check the path.")
    print(import_atlas(Library(library), file).id)


def _tell_damaged_plans(atlas: Atlas) -> None:
    for path in atlas.damaged_plans():
        err.print(
            f"note: the plan builds/{path.name} of the atlas {atlas.id} is damaged, so what it planned is neither "
            f"counted nor freed. Run `strata verify {atlas.id}`, which plans again what is there.",
            markup=False,
        )


def register(app: typer.Typer) -> None:
    app.command("library")(list_library)
    app.command()(verify)
    app.command()(delete)
    app.command()(gc)
    app.command()(export)
    app.command("import")(import_)
