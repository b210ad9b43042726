"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

LIBRARY = Annotated[
    str,
    typer.Option("--library", envvar="STRATA_LIBRARY", help="Where atlases and jobs are kept: a folder, or s3://…"),
]
HERE = "library"
DATABASE = Annotated[
    str | None,
    typer.Option(
        "--database", envvar="STRATA_DATABASE", help="The job table: postgresql://user@host/db; a file by default."
    ),
]
