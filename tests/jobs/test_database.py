import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from analysis.errors import StrataError
from analysis.jobs import database as module
from analysis.jobs.database import HEAD, Unreachable, connect
from analysis.jobs.schema import Table
from analysis.jobs.table import Jobs

BEFORE_MIGRATIONS = """CREATE TABLE jobs (
    id VARCHAR(32) PRIMARY KEY, kind VARCHAR(16) NOT NULL, request JSON NOT NULL, state VARCHAR(16) NOT NULL,
    done INTEGER NOT NULL, total INTEGER NOT NULL, note VARCHAR NOT NULL, progress JSON NOT NULL, error VARCHAR,
    result JSON NOT NULL, created VARCHAR(40) NOT NULL, started VARCHAR(40), finished VARCHAR(40),
    heartbeat VARCHAR(40), cancel BOOLEAN NOT NULL)"""
OLD_JOB = """INSERT INTO jobs VALUES
    ('abc', 'build', '{"model": "net"}', 'queued', 0, 0, '', '{}', NULL, '{}', '2026', NULL, NULL, NULL, false)"""


def test_the_migrations_make_the_schema(database: str) -> None:
    with connect(database).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
    folder = Path(module.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD


def test_a_database_from_before_there_were_migrations_keeps_its_jobs(database: str) -> None:
    with create_engine(database.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
        connection.execute(text(BEFORE_MIGRATIONS))
        connection.execute(text(OLD_JOB))
    jobs = Jobs(database)
    job = jobs.claim()
    assert job is not None
    assert (job.id, job.request, job.asked_by) == ("abc", {"model": "net"}, "")
    assert jobs.finish("abc", "done").ended


def test_many_processes_that_open_a_new_database_at_once_all_get_it(database: str) -> None:
    code = f"from analysis.jobs.table import Jobs; print(len(Jobs({database!r}).recent()))"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in started:
        said, complained = process.communicate(timeout=100)
        assert (said.strip(), complained) == ("0", "")


def test_a_database_of_a_newer_strata_is_refused(database: str) -> None:
    with connect(database).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StrataError, match="newer Strata"):
        Jobs(database)


def test_a_locked_database_is_a_sentence_and_works_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.1)
    jobs = Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    other = sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unreachable, match="database is locked"):
        jobs.submit("build", {})
    assert jobs.recent() == []  # reading goes on
    other.execute("ROLLBACK")
    assert jobs.submit("build", {}).state == "queued"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://nobody@127.0.0.1:9/none", "can not be reached"),
        ("carrier pigeon", "no database that Strata can use"),
        ("oracle://x", "no database that Strata can use"),
    ],
)
def test_a_database_that_is_not_there_is_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StrataError, match=sentence):
        Jobs(url)
