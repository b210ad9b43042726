"""A PostgreSQL server of the test's own, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder with initdb and pg_ctl; Debian keeps it out of PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))[::-1]
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server with an empty cluster; gives the URL of its database. It refuses to run as root: then as postgres.

    Raises LookupError, saying what is missing.
    """
    folder = programs()
    if folder is None:
        raise LookupError("needs PostgreSQL (apt-get install postgresql)")
    as_root = os.getuid() == 0
    try:
        account = pwd.getpwnam("postgres") if as_root else pwd.getpwuid(os.getuid())
    except KeyError:
        raise LookupError("needs an account that PostgreSQL can run as") from None
    with tempfile.TemporaryDirectory(prefix="strata-postgres-") as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        os.chown(home, account.pw_uid, account.pw_gid)

        def run(program: str, *arguments: str) -> None:
            who = {"user": account.pw_uid, "group": account.pw_gid} if as_root else {}
            with (Path(home) / "log").open("ab") as log:
                subprocess.run(
                    [str(folder / program), "-D", f"{home}/data", *arguments],
                    check=True, stdout=log, stderr=log, cwd=home, timeout=60, **who,
                )  # fmt: skip

        run("initdb", "--username=strata", "--auth=trust", "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "-w", "start", "-o", f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off")
        try:
            yield f"postgresql://strata@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
