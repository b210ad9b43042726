"""What people say of a channel: notes and verdicts, beside the atlas, a file each, so that no two writers collide."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import Literal, cast, get_args

from analysis.atlas.artifacts import file_name
from analysis.atlas.atlas import Atlas
from analysis.atlas.files import write_atomically
from analysis.clock import now
from analysis.encoding import from_json, to_json
from analysis.errors import StrataError

Verdict = Literal["", "good", "doubtful", "wrong"]
LONGEST = 4000
"""Characters of a note."""


@dataclass(frozen=True)
class Note:
    """who: as the person calls themselves, may be empty · when: ISO 8601, UTC · verdict: empty for none."""

    layer: str
    channel: int
    who: str
    when: str
    text: str
    verdict: Verdict = ""


def add_note(atlas: Atlas, layer: str, channel: int, who: str, text: str, verdict: str = "") -> Note:
    """Keep a note. Raises StrataError for one that says nothing, or too much."""
    text, who = text.strip(), who.strip()[:80]
    if verdict not in get_args(Verdict):
        raise StrataError(f"“{verdict}” is no verdict. Choose good, doubtful or wrong, or none.")
    if not text and not verdict:
        raise StrataError("This note says nothing. Write something, or give a verdict.")
    if len(text) > LONGEST:
        raise StrataError(f"This note has {len(text):,} characters. Say it in {LONGEST:,}.")
    note = Note(layer, channel, who, now(), text, cast(Verdict, verdict))
    path = atlas.root / "notes" / file_name(layer) / f"{channel:05d}-{uuid.uuid4().hex[:12]}.json"
    write_atomically(path, to_json(asdict(note)), lasting=True)
    return note


def notes_about(atlas: Atlas, layer: str, channel: int | None = None) -> list[Note]:
    """The notes on a channel, or on all channels of a layer; oldest first."""
    pattern = "*.json" if channel is None else f"{channel:05d}-*.json"
    files = (atlas.root / "notes" / file_name(layer)).glob(pattern)
    return sorted((Note(**from_json(file.read_bytes())) for file in files), key=lambda note: (note.when, note.channel))
