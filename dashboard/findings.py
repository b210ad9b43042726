"""What screens say of what looks wrong: the findings, worst first, with the channels that each is about."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

from analysis.atlas.atlas import Atlas
from analysis.errors import StrataError
from analysis.findings.find import find, missing
from analysis.findings.finding import Finding, Missing
from analysis.unit import Unit
from dashboard.address import link
from dashboard.atlases import progress_of
from dashboard.components.findings import Card, Pictured
from dashboard.components.strips import Figure
from dashboard.layers import layer_facts
from dashboard.library import being_built
from dashboard.measures import written
from dashboard.pictures import Sheets, Tile, readable
from dashboard.state import View

_log = logging.getLogger("strata.dashboard")
SHOWN_UNITS = 24
"""Channels of a finding that are shown as pictures; the others are counted."""


Judged = tuple[Sequence[Finding], Sequence[Missing]]
_aside = ThreadPoolExecutor(1, thread_name_prefix="findings")


def findings_of(atlas: Atlas) -> Sequence[Finding]:
    """Worst first; looked for again when the atlas has grown."""
    return _judged(atlas, progress_of(atlas)).result()[0]


def unjudged_of(atlas: Atlas) -> Sequence[Missing]:
    """The rules that could not judge all of it."""
    return _judged(atlas, progress_of(atlas)).result()[1]


@lru_cache(maxsize=128)
def _judged(atlas: Atlas, _so_far: tuple[int, int, int]) -> Future[Judged]:
    return _aside.submit(_judge, atlas)


def _judge(atlas: Atlas) -> Judged:
    """An atlas that the rules can not read (an older one, a damaged one) is shown all the same, without findings."""
    try:
        return tuple(find(atlas)), tuple(missing(atlas))
    except Exception:
        number = uuid.uuid4().hex[:8]
        _log.exception("findings of %s, number %s", atlas.id, number)
        reason = f"this atlas can not be judged; the server's log says why under number {number}"
        return (), (Missing("all", "Findings", reason),)


def count_of(atlas: Atlas) -> Figure:
    """How many, for the library, which does not wait for them; drawn as something to look at where one is grave."""
    judged = _judged(atlas, progress_of(atlas))
    if not judged.done():
        return Figure("findings", "…", about="Still being looked for.")
    found, unjudged = judged.result()
    if not found and unjudged and being_built(atlas):
        return Figure("findings", "…", about="What they are judged by is still being made.")
    grave = sum(finding.severity == "high" for finding in found)
    about = f"{grave} grave, {len(found) - grave} others" if grave else "Nothing grave"
    return Figure("finding" if len(found) == 1 else "findings", str(len(found)), alarm=grave > 0, about=about)


def cards_of(atlas: Atlas, sheets: Sheets) -> list[Card]:
    return [_card(atlas, finding, sheets) for finding in findings_of(atlas)]


def _card(atlas: Atlas, finding: Finding, sheets: Sheets) -> Card:
    place = View(atlas=atlas.id, layer=finding.layer or "")
    evidence = [
        (name, written(value) if isinstance(value, float) else readable(str(value)))
        for name, value in finding.evidence.items()
    ]
    shown = [_pictured(atlas, unit, sheets) for unit in finding.units[:SHOWN_UNITS]]
    return Card(
        finding.severity,
        finding.title,
        finding.layer or "",
        link("layer", place) if finding.layer else "",
        evidence,
        finding.null,
        finding.cure,
        [unit for unit in shown if unit is not None],
        max(0, len(finding.units) - SHOWN_UNITS),
    )


def _pictured(atlas: Atlas, address: str, sheets: Sheets) -> Pictured | None:
    """A unit with its picture, or with its strongest image, or with neither; None where the atlas has no such layer."""
    unit = Unit.parse(address)
    try:
        facts = layer_facts(atlas, atlas.model.layer(unit.layer))
    except StrataError:
        return None
    tile: Tile | None = facts.pictures.picture.get(unit.channel) or next(
        iter(facts.pictures.examples.get(unit.channel, [])), None
    )
    place = View(atlas=atlas.id, layer=unit.layer, channel=unit.channel)
    return Pictured(
        unit.layer,
        unit.channel,
        None if tile is None else sheets.take(tile, facts.sheets),
        link("channel", place),
    )
