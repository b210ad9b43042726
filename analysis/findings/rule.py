"""What a diagnosis declares of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding


@dataclass(frozen=True)
class Rule:
    """One diagnosis.

    title   : a few words
    about   : one sentence: what it looks for
    needs   : table ("statistics", "weights", "exemplars") → the columns it reads of it
    judge   : what it finds in an atlas; of layers whose tables are not there it says nothing
    applies : why it can not say anything about this model or probe at all; None where it can
    """

    name: str
    title: str
    about: str
    needs: Mapping[str, tuple[str, ...]]
    judge: Callable[[Evidence], Iterable[Finding]]
    applies: Callable[[Evidence], str | None] = lambda evidence: None
