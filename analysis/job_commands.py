"""What is being made, and how that is stopped: strata jobs | cancel."""

from __future__ import annotations

import time
from typing import Annotated

import pandas as pd
import typer

from analysis.console import how_far, print_table
from analysis.errors import StrataError
from analysis.options import DATABASE, HERE, LIBRARY

AGAIN = 0.2
"""Seconds between two looks at a job that is to stop."""


def list_jobs(
    library: LIBRARY = HERE,
    database: DATABASE = None,
    past: Annotated[int, typer.Option(min=0, help="So many of the jobs asked for last, ended ones too.")] = 10,
) -> None:
    """List the jobs of a library: what waits or runs, how far it is, who asked for it, and what was made lately."""
    from analysis.atlas.library import Library
    from analysis.jobs.table import Job, Jobs

    table = Jobs(Library(library, database).database_url)

    def of(job: Job) -> str:
        return str(job.request.get("model") or job.request.get("atlas"))

    def state(job: Job) -> str:
        return "engine lost" if table.lost(job) else "stopping" if job.cancel and not job.ended else job.state

    def far(job: Job) -> str:
        share = f"{100 * job.done // job.total} %" if job.total else ""
        return " · ".join(filter(None, (share, how_far(job)))) or "–"

    jobs = {job.id: job for job in (*reversed(table.unfinished()), *table.recent(past))}
    if not jobs:
        raise StrataError("No job waits or runs. Ask for one with `strata build MODEL --images FOLDER`.")
    rows = [
        (job.id, job.kind, of(job), state(job), far(job), job.asked_by or "–", job.created[:16])
        for job in jobs.values()
    ]
    print_table(pd.DataFrame(rows, columns=["job", "kind", "of", "state", "made", "asked by", "asked"]))


def cancel(
    name: Annotated[str, typer.Argument(metavar="JOB", help="A job, as `strata jobs` names it.", show_default=False)],
    library: LIBRARY = HERE,
    database: DATABASE = None,
) -> None:
    """Stop a job, whoever asked for it. What is made is kept: the same request goes on from there."""
    from analysis.atlas.library import Library
    from analysis.jobs.table import Jobs

    table = Jobs(Library(library, database).database_url)
    job = table.get(name)
    if job.ended:
        raise StrataError(f"The job {name} has ended already: {job.state}. `strata jobs` lists those that have not.")
    while not job.ended:
        table.cancel(
            name
        )  # each time: that an engine elsewhere is lost shows after a while, and then this ends its job
        time.sleep(AGAIN)
        job = table.get(name)
    print(f"{name} {job.state}")


def register(app: typer.Typer) -> None:
    app.command("jobs")(list_jobs)
    app.command()(cancel)
