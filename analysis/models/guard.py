"""Open a file in a process of its own, with limits on memory, time and writing: a hostile one takes only that down.

`python -m analysis.models.guard` is that process: it reads what to open from standard input as JSON and answers on
standard output with a card, or with the sentence of why not.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.models.errors import ModelError
from analysis.models.model import ModelCard
from analysis.models.sniff import sniff
from analysis.models.told_input import check_input

SECONDS = 300.0
MEMORY = 8 * 2**30
"""Bytes of address space beside ten times the file: torch alone maps about three GiB."""
_ANSWER = "strata card:"


def inspect_guarded(
    path: str | Path, *, seconds: float = SECONDS, memory: int | None = None, **options: Any
) -> ModelCard:
    """The card of a model file, opened where it can do no harm. `options` are those of `open_model`.

    seconds : how long it may take
    memory  : bytes of address space it may use, `MEMORY` and ten times the file by default

    Raises ModelError with the reason: the opener's own, or that the file took too long, too much, or broke the opener.
    """
    path = Path(path)
    sniff(path)
    check_input(options.get("input_spec") or {})
    limit = memory or MEMORY + 10 * path.stat().st_size
    request = json.dumps({"path": str(path), "memory": limit, "options": _plain(options)})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "analysis.models.guard"],
            input=request,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[2]), *sys.path])},
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{path.name} was not open after {seconds:.0f} seconds. "
            "Get it from a source that you trust, or try it on a faster machine."
        ) from error
    answers = [line for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
    if not answers:
        raise ModelError(
            f"{path.name} broke the process that opened it ({_ending(done.returncode, done.stderr)}). "
            "It is damaged or made to do harm: get it from a source that you trust."
        )
    answer = json.loads(answers[-1].removeprefix(_ANSWER))
    if "error" in answer:
        raise ModelError(answer["error"])
    return ModelCard.from_json(answer["card"])


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _ending(code: int, said: str) -> str:
    if "MemoryError" in said or "bad_alloc" in said or "can't allocate memory" in said:
        return "out of memory"
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _limit(memory: int) -> None:
    """No more memory than this, and not a byte into any file."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    request = json.loads(sys.stdin.read())
    import torch

    from analysis.models.open import inspect_model

    torch.set_num_threads(1)
    _limit(request["memory"])
    path = Path(request["path"])
    answer: dict[str, Any]
    try:
        answer = {"card": inspect_model(path, **request["options"]).to_json()}
    except ModelError as error:
        answer = {"error": str(error)}
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "allocate memory" not in str(error):
            raise
        answer = {"error": f"{path.name} asks for more memory than such a model needs. Get it from a trusted source."}
    print(_ANSWER + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
