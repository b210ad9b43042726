"""The library's commands, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analysis.atlas.artifacts import folder_of
from analysis.atlas.files import files_below, remove
from analysis.atlas.library import Library
from analysis.cli import app
from analysis.jobs.table import Jobs
from tests.atlas.built import MEASURED, PICTURES, TASKS, built
from tests.jobs.test_table import engine_dies


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.delenv("STRATA_DATABASE", raising=False)
    monkeypatch.setenv("STRATA_LIBRARY", str(tmp_path / "home"))
    monkeypatch.setattr("analysis.atlas.clean.YOUNG", 0)
    library = Library(tmp_path / "home")
    built(library, tmp_path)
    return library


def strata(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=answer)


def said(result: Result) -> str:
    return str(result.exception) if result.exception else result.output


def test_the_library_is_listed(home: Library) -> None:
    (atlas,) = home.atlases()
    result = strata("library")
    assert result.exit_code == 0
    assert atlas.id in result.output
    assert "100 %" in result.output


@pytest.mark.parametrize(
    "command", [("library",), ("verify",), ("gc", "--yes"), ("delete", "net"), ("diagnose", "net")]
)
def test_what_reads_or_frees_makes_no_library_where_there_is_none(tmp_path: Path, command: tuple[str, ...]) -> None:
    told = strata(*command, "--library", str(tmp_path / "typo"))
    assert f"There is no library at {tmp_path / 'typo'}" in said(told)
    assert told.exit_code != 0
    assert not (tmp_path / "typo").exists()


def test_verify_names_damage_once_sets_it_aside_and_then_asks_for_a_build(home: Library) -> None:
    assert "nothing damaged" in said(strata("verify"))
    (atlas,) = home.atlases()
    (atlas.root / folder_of(PICTURES[0]) / "facts.json").write_bytes(b"{}")
    looked = strata("verify", "--only-look")
    assert f"{folder_of(PICTURES[0])}/facts.json: has 2 bytes" in looked.output
    assert "1 piece is damaged" in said(looked)
    assert atlas.artifacts.has(PICTURES[0])
    assert "1 piece is damaged" in said(strata("verify", "net"))
    assert not atlas.artifacts.has(PICTURES[0])


def test_verify_says_what_failed(home: Library) -> None:
    (atlas,) = home.atlases()
    for task, reason in zip(PICTURES, ("no memory", "killed [twice]"), strict=False):
        remove(atlas.root / folder_of(task))
        atlas.artifacts.fail(task, reason)
    result = strata("verify")
    assert result.exit_code == 0
    assert f"{folder_of(PICTURES[0])}: could not be made: no memory" in result.output
    assert "nothing damaged or missing; 2 tasks failed" in result.output
    (failure,) = atlas.root.glob(f"failures/{PICTURES[1].key}.json")
    failure.write_bytes(b"{")
    (atlas.root / folder_of(PICTURES[2]) / "facts.json").write_bytes(b"{}")
    result = strata("verify")
    assert "the reason can not be read any more" in result.output
    assert "1 piece is damaged or missing; 2 tasks failed" in said(result)


def test_a_deletion_asks_first(home: Library) -> None:
    assert "Nothing was deleted" in said(strata("delete", "net", answer="n\n"))
    assert len(home.atlases()) == 1
    assert strata("delete", "net", answer="y\n").exit_code == 0
    assert home.atlases() == []


def being_built(home: Library) -> tuple[Jobs, str]:
    """The job table, and a job in it that makes the atlas there is."""
    (atlas,) = home.atlases()
    jobs = Jobs(home.database_url)
    job = jobs.submit("build", {"model": atlas.model.id}, "Ada")
    jobs.claim()
    jobs.write(job.id, result={"atlas": atlas.id})
    return jobs, job.id


def test_what_is_being_built_is_not_deleted(home: Library) -> None:
    _jobs, job = being_built(home)
    assert f"is being built. Stop that with `strata cancel {job}`" in said(strata("delete", "net", "--yes"))


def test_what_an_engine_built_that_died_is_deleted_and_not_made_again(home: Library) -> None:
    jobs, job = being_built(home)
    engine_dies(jobs)
    assert strata("delete", "net", "--yes").exit_code == 0
    assert home.all_atlases() == []
    assert jobs.get(job).state == "cancelled"
    assert jobs.claim() is None


def test_an_atlas_that_can_not_be_read_is_listed_and_deleted(home: Library) -> None:
    (folder,) = home.root.glob("atlases/*")  # not read before: what was read is remembered
    (folder / "atlas.json").write_bytes(b"{")
    assert "can not be read" in strata("library").output
    assert strata("delete", folder.name, "--yes").exit_code == 0
    assert home.all_atlases() == []


def test_gc_says_how_much_it_frees_and_asks(home: Library) -> None:
    (atlas,) = home.atlases()
    measured = atlas.root / folder_of(MEASURED)
    asked = strata("gc", answer="n\n")
    size = f"{sum(files_below(measured).values()) / 1000:.1f} KB"
    assert f"{size}  intermediate" in asked.output
    assert measured.is_dir()
    assert f"freed {size}" in strata("gc", "--yes").output
    assert not measured.exists()
    assert "freed 0 B" in strata("gc").output


def test_a_damaged_plan_stops_no_command_and_costs_nothing(home: Library) -> None:
    (atlas,) = home.atlases()
    (plan,) = atlas.root.glob("builds/*.json")
    plan.write_bytes(plan.read_bytes()[:200])
    for command in (("library",), ("gc", "--yes")):
        result = strata(*command)
        assert result.exit_code == 0
        assert f"builds/{plan.name} of the atlas {atlas.id} is damaged" in result.output
    assert "1 piece is damaged" in said(strata("verify"))
    assert "nothing damaged" in said(strata("verify"))
    assert strata("library").output.count("100 %") == 1
    assert len(atlas.tasks()) == len(TASKS)


def test_a_bundle_goes_from_one_library_to_another(home: Library, tmp_path: Path) -> None:
    assert "Name one that ends in .zip" in said(strata("export", "net", str(tmp_path / "net.tar")))
    assert "does not exist" in said(strata("export", "net", str(tmp_path / "none" / "net.zip")))
    assert f"There is no file {tmp_path / 'nope.zip'}" in said(strata("import", str(tmp_path / "nope.zip")))
    assert strata("export", "net", str(tmp_path / "net.zip")).exit_code == 0
    (atlas,) = home.atlases()
    remove(home.root / "models")
    assert "the model is not in the bundle" in strata("export", "net", str(tmp_path / "alone.zip")).output
    remove(home.root)
    assert strata("import", str(tmp_path / "net.zip")).output.strip() == atlas.id
    assert "nothing damaged" in said(strata("verify"))
