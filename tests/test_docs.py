"""The documents say what the code does: `python -m tests.test_docs` writes the tables of columns anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from analysis.activation_atlas import table as activation_table
from analysis.circuits import table as circuit_table
from analysis.exemplars import cut, heat
from analysis.statistics import columns, map_technique, weights

PAGE = Path(__file__).resolve().parents[1] / "docs" / "atlas-format.md"
TABLES: dict[str, Mapping[str, str]] = {
    "statistics": columns.COLUMNS,
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


def main() -> None:
    text = PAGE.read_text()
    for name in TABLES:
        marks = re.compile(rf"<!-- columns of {name} -->.*?<!-- end -->", re.DOTALL)
        text, found = marks.subn(lambda _, name=name: section(name), text)
        assert found == 1, f"{PAGE} has no place for the columns of {name}"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
