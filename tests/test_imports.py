"""Imports run one way (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = [
    {
        "analysis.errors",
        "analysis.unit",
        "analysis.task",
        "analysis.technique",
        "analysis.encoding",
        "analysis.clock",
        "analysis.heap",
    },
    {"analysis.models", "analysis.probe"},
    {
        "analysis.activation_atlas",
        "analysis.circuits",
        "analysis.statistics",
        "analysis.exemplars",
        "analysis.features",
        "analysis.dream",
        "analysis.looking",
        "analysis.techniques",
    },
    {"analysis.atlas"},
    {"analysis.comparison", "analysis.findings"},
    {"analysis.jobs", "analysis.console", "analysis.serving"},
    {"sample_models"},
    {"analysis.cli", "dashboard"},
]


def _imports(file: Path) -> set[str]:
    """Modules that a file imports when it runs; what stands under TYPE_CHECKING is for the type checker alone."""
    tree = ast.parse(file.read_text())
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _floor(module: str) -> int | None:
    for number, rooms in enumerate(FLOORS):
        if any(module == room or module.startswith(room + ".") for room in rooms):
            return number
    return None


FILES = sorted(file for folder in ("analysis", "dashboard") for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_imports_from_a_floor_above_its_own(file: Path) -> None:
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    own = _floor(module)
    above = {name for name in _imports(file) if (floor := _floor(name)) is not None and own is not None and floor > own}
    assert above == set()


def test_the_library_knows_nothing_of_screens() -> None:
    for file in (ROOT / "analysis").rglob("*.py"):
        assert not any(name.split(".")[0] in ("streamlit", "dashboard") for name in _imports(file)), file
