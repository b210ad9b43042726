"""What a model file is, found out in a guarded process of its own while the page waits and says so."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from analysis.errors import StrataError
from analysis.models.guard import inspect_guarded
from analysis.models.model import ModelCard
from dashboard.opening.sources import ModelFile

AT_ONCE = 2
"""Files that are opened side by side, each in a process of its own; others wait."""
REMEMBERED = 64
STANDS = 60
"""Seconds after which a file that failed to open is opened again for whoever asks."""
_waiting = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="recognise")
_found: dict[tuple[Any, ...], Future[ModelCard]] = {}
_failed: WeakKeyDictionary[Future[ModelCard], float] = WeakKeyDictionary()
_one_at_a_time = Lock()


def recognise(file: ModelFile, architecture: str, corrections: Mapping[str, Any]) -> Future[ModelCard]:
    """The card of a file, as it will be; asked for once, whoever looks. Its exception is a StrataError.

    architecture : a known net's name where a person corrects what was recognised, else empty
    corrections  : fields of InputSpec that a person corrects
    """
    options = dict(file.options)
    if architecture:
        options["architecture"] = _a_known_name(architecture)
    if corrections:
        options["input_spec"] = {**options.get("input_spec", {}), **corrections}
    options.pop("trust", None)  # whatever the library opened on trust before, a browser may not ask for it
    facts = file.path.stat()
    key = (str(file.path), facts.st_mtime_ns, facts.st_size, json.dumps(options, sort_keys=True))
    with _one_at_a_time:
        known = _found.get(key)
        if known is None or not _stands(known):
            _found.pop(key, None)
            while len(_found) >= REMEMBERED:
                del _found[next(iter(_found))]
            known = _found[key] = _waiting.submit(inspect_guarded, file.path, **options)
    return known


def _stands(found: Future[ModelCard]) -> bool:
    """Whether to answer this again: a failure stands for as long as somebody may be reading it, and no longer, since
    what made it (a busy machine, a file half copied) may be over."""
    if not found.done() or found.exception() is None:
        return True
    return time.monotonic() - _failed.setdefault(found, time.monotonic()) < STANDS


def _a_known_name(architecture: str) -> str:
    if not re.fullmatch(r"[\w.\-]+", architecture) or architecture.endswith(".py"):
        raise StrataError(f"“{architecture}” is not the name of a net. Write one of torchvision's or timm's: resnet18.")
    return architecture


FIELDS = ("height", "width", "order", "range", "mean", "std", "crop")
"""Of InputSpec, what a person may correct here."""


def read_corrections(text: str) -> dict[str, Any]:
    """The address's `input`: a JSON object of InputSpec's fields. Raises StrataError for anything else."""
    try:
        values = json.loads(text or "{}")
    except json.JSONDecodeError:
        values = None
    if not isinstance(values, dict) or not values.keys() <= set(FIELDS):
        raise StrataError("The address's part “input” can not be read. Leave it out, and correct it on the page.")
    return values
