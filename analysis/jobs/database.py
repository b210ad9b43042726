"""The database that holds the job table: SQLite in the library, or PostgreSQL by URL; brought to today's schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from analysis.errors import StrataError

HEAD = "0002"
"""The newest migration; checked without importing Alembic, which only a database that is behind needs."""
SECONDS = 10
"""How long one process waits for another's write, and for a server's answer."""
LOCK = 0x57247A
"""PostgreSQL's advisory lock while one process migrates."""


class Unreachable(StrataError):
    """The database does not answer now; it may again."""


def connect(url: str) -> Engine:
    """Connect and migrate. Raises Unreachable; StrataError for what is no URL and for a database of a newer Strata."""
    try:
        parts = make_url(url)
        if parts.drivername in ("postgres", "postgresql"):
            parts = parts.set(drivername="postgresql+psycopg")
        waits = {"connect_timeout": SECONDS} if parts.get_backend_name() == "postgresql" else {}
        database = create_engine(parts, pool_pre_ping=True, connect_args=waits)
    except (ArgumentError, ImportError) as error:
        raise StrataError(
            f"“{url}” is no database that Strata can use ({error}). Write postgresql://user@host/name, or leave "
            "--database out."
        ) from error
    if database.dialect.name == "sqlite":
        event.listen(database, "connect", _settle_sqlite)
    with told():
        _migrate(database)
    return database


@contextmanager
def told() -> Iterator[None]:
    """Tell a database that does not answer, is locked or can not be written in a sentence."""
    try:
        yield
    except IntegrityError:
        raise
    except (OperationalError, InterfaceError) as error:
        raise Unreachable(_sentence(error)) from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise Unreachable(_sentence(error)) from error


def _sentence(error: DBAPIError) -> str:
    reason = str(error.orig).strip().partition("\n")[0]
    return f"The job table can not be reached ({reason}). Check the library's disk or the database URL."


def _settle_sqlite(connection: Any, _record: Any) -> None:
    # Readers and one writer side by side; a writer waits for another one instead of failing at once.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA busy_timeout={1000 * SECONDS}")


def _migrate(database: Engine) -> None:
    with database.connect() as connection:
        if _revision(connection) == HEAD:
            return
        connection.rollback()
        # one process migrates, the others wait for it and find it done
        if database.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        if _revision(connection) != HEAD:
            _upgrade(connection)
        connection.commit()


def _revision(connection: Connection) -> str | None:
    if "alembic_version" not in inspect(connection).get_table_names():
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StrataError(f"The job table was made by a newer Strata ({error}). Update Strata to use it.") from error
