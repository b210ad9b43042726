"""docs/benchmarks.md, each section written by the script that measured it."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

REPORT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
HEAD = "# Benchmarks\n\nWritten by the scripts in `benchmarks/` (`make bench`); each section says what made it.\n"


def write_section(name: str, body: str) -> None:
    """Put `body` (Markdown, beginning with its heading) where section `name` stands, or at the end."""
    text = REPORT.read_text() if REPORT.exists() else HEAD
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"{begin}\n{body.strip()}\n{end}\n"
    found = re.search(re.escape(begin) + r".*?" + re.escape(end) + r"\n", text, re.DOTALL)
    text = text[: found.start()] + section + text[found.end() :] if found else f"{text.rstrip()}\n\n{section}"
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    print(body)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: Sequence[float], form: str = ".1f") -> str:
    """Median and range: `12.3 (11.9 … 12.8)`."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return f"{middle:{form}} ({ordered[0]:{form}} … {ordered[-1]:{form}})"


def machine() -> str:
    return f"{cpu()}, one thread, torch {version('torch')}, processor seconds"


def cpu() -> str:
    return next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []
