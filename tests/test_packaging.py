"""A wheel holds every file that the code reads: the dashboard's look and scripts, fonts, weights."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[1]


def test_every_file_of_a_package_goes_into_a_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    files = [
        file
        for room in ("analysis", "dashboard", "sample_models")
        for file in (ROOT / room).rglob("*")
        if file.is_file() and file.suffix not in {".py", ".md"} and file.parent.name != "__pycache__"
    ]
    assert len(files) > 50
    for file in files:
        package = next(folder for folder in file.parents if (folder / "__init__.py").is_file())
        name = file.relative_to(package)
        assert any(_matches(name, PurePath(pattern)) for pattern in patterns), f"no package-data pattern for {file}"


def _matches(name: PurePath, pattern: PurePath) -> bool:
    """As setuptools takes it: an asterisk stands for no slash."""
    return len(name.parts) == len(pattern.parts) and name.match(str(pattern))
