"""The documents say what the code does: `python -m tests.test_docs` writes the tables of columns anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis.activation_atlas import table as activation_table
from analysis.atlas.artifacts import SEAL
from analysis.atlas.atlas import Atlas
from analysis.atlas.library import Library
from analysis.atlas.notes import add_note
from analysis.circuits import table as circuit_table
from analysis.exemplars import cut, heat
from analysis.jobs.prepare import prepare, prepare_render
from analysis.jobs.request import EVERYTHING, BuildRequest, RenderRequest
from analysis.jobs.worker import run_task
from analysis.models.open import open_model
from analysis.statistics import columns, layer_facts, map_technique, weights
from analysis.techniques import techniques
from tests.tiny import tiny_images, tiny_onnx

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "atlas-format.md"
TABLES: dict[str, Mapping[str, str]] = {
    "statistics": columns.COLUMNS,
    "layer.json": layer_facts.FACTS,
    "exemplars": cut.COLUMNS,
    "heat": heat.COLUMNS,
    "weights": weights.COLUMNS,
    "circuits": circuit_table.COLUMNS,
    "map": map_technique.COLUMNS,
    "activation-atlas": activation_table.COLUMNS,
}


def section(name: str) -> str:
    """What stands between the marks of a table, marks included."""
    rows = [f"| `{column}` | {meaning.replace('|', chr(92) + '|')} |" for column, meaning in TABLES[name].items()]
    return "\n".join([f"<!-- columns of {name} -->", "| column | meaning |", "|---|---|", *rows, "<!-- end -->"])


@pytest.mark.parametrize("name", TABLES)
def test_every_column_of_a_table_is_documented(name: str) -> None:
    assert section(name) in PAGE.read_text(), "write the page anew: python -m tests.test_docs"


SAME_AS = {
    "outputs": ("statistics", "exemplars"),
    "twins": ("features",),
    "sketches": ("features",),
    "renders": ("features",),
}
"""Techniques whose section refers to those of others."""


def words_of(technique: str) -> list[re.Pattern[str]]:
    """What a technique's section, and those that it refers to, name in code: files and columns, `<…>` for numbers."""
    text = PAGE.read_text()
    sections = re.split(r"^##+ ", text, flags=re.MULTILINE)
    found: list[re.Pattern[str]] = []
    for name in (technique, *SAME_AS.get(technique, ())):
        (own,) = (part for part in sections if part.startswith(f"`{name}/"))
        for word in re.findall(r"`([^`\n]+)`", own):
            found.append(re.compile(re.sub(r"<[^>]+>", r"\\d+", re.escape(word).replace(r"\ ", " "))))
    return found


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """An atlas with something of every technique, its tasks run one after the other in this process."""
    folder = tmp_path_factory.mktemp("documented")
    library, file = Library(folder / "library"), tiny_onnx(folder / "tiny.onnx")
    card = open_model(file).card
    library.add_model(card, file)
    small: dict[str, dict[str, int]] = {
        "features": {"steps": 16, "sketch": 1, "retries": 0},
        "twins": {"steps": 2},
        "activation-atlas": {"steps": 2},
    }
    wanted = {name: small.get(name, {}) for name in (*EVERYTHING, "map", "twins", "activation-atlas")}
    request = BuildRequest(model=card.id, images=str(tiny_images(folder / "images")), techniques=wanted)
    layer = card.layers[0].name
    name, whole = prepare(str(library.root), request)
    faces = {"steps": 2, "faces": 2, "twin": True}
    _, of_one = prepare_render(str(library.root), RenderRequest(atlas=name, layer=layer, channel=0, parameters=faces))
    atlas = library.atlas(name)
    for task in (*atlas.planned(whole), *atlas.planned(of_one)):
        outcome = run_task(str(library.root), atlas.id, task.to_json(), "no-job")
        assert outcome.state == "done", outcome
    add_note(atlas, layer, 0, "Ada", "edges", "good")
    return atlas


@pytest.mark.slow
def test_every_file_and_column_that_a_build_leaves_is_documented(atlas: Atlas) -> None:
    unknown, seen = set(), set()
    for file in atlas.root.glob("*/*/*/*"):
        technique = file.relative_to(atlas.root).parts[0]
        seen.add(technique)
        names = [file.name, *(pq.read_schema(file).names if file.suffix == ".parquet" else ())]
        words = words_of(technique) if file.name != SEAL else ()
        unknown |= {(technique, file.name, name) for name in names if not any(word.fullmatch(name) for word in words)}
    assert seen == set(techniques()), "the atlas holds something of every technique"
    assert {each for each in unknown if each[1] != SEAL} == set()


@pytest.mark.slow
def test_every_room_of_a_library_and_an_atlas_is_documented(atlas: Atlas) -> None:
    text = PAGE.read_text()
    code = "".join(
        path.read_text() for room in ("analysis", "dashboard", "sample_models") for path in (ROOT / room).rglob("*.py")
    )
    rooms = set(re.findall(r'root / "([\w.]+)"', code)) | {path.name for path in atlas.root.iterdir()} - set(
        techniques()
    )
    assert {"models", "builds", "uploads", "samples", "notes", "atlas.json"} <= rooms
    assert {room for room in rooms if not re.search(rf"^ *{re.escape(room)}\b", text, re.MULTILINE)} == set()


def main() -> None:
    text = PAGE.read_text()
    for name in TABLES:
        marks = re.compile(rf"<!-- columns of {name} -->.*?<!-- end -->", re.DOTALL)
        text, found = marks.subn(lambda _, name=name: section(name), text)
        assert found == 1, f"{PAGE} has no place for the columns of {name}"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
