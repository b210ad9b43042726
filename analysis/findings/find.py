"""Everything that looks wrong in an atlas, worst first; and what could not be judged yet."""

from __future__ import annotations

from analysis.atlas.atlas import Atlas
from analysis.findings import (
    dead,
    duplicates,
    headroom,
    narrow,
    nonfinite,
    shortcut,
    stem,
    untrained,
    unused,
    wrong_input,
)
from analysis.findings.evidence import Evidence
from analysis.findings.finding import SEVERITIES, Finding, Missing
from analysis.findings.rule import Rule
from analysis.findings.words import counted

RULES: tuple[Rule, ...] = (
    nonfinite.RULE,
    wrong_input.RULE,
    untrained.RULE,
    shortcut.RULE,
    duplicates.RULE,
    dead.RULE,
    stem.RULE,
    unused.RULE,
    headroom.RULE,
    narrow.RULE,
)
"""Those that explain most stand first: within a severity, findings keep this order."""


def find(atlas: Atlas) -> list[Finding]:
    """What looks wrong, worst first, from the atlas's tables as far as they are made: nothing is run.

    Of one severity, in the order of RULES, then of the model's layers.
    """
    evidence = Evidence(atlas)
    found = [finding for rule in RULES if rule.applies(evidence) is None for finding in rule.judge(evidence)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def missing(atlas: Atlas) -> list[Missing]:
    """The rules that could not judge all of the model: tables that are not made yet, or what can not be known here."""
    evidence = Evidence(atlas)
    reasons = ((rule, _lacks(rule, evidence) or rule.applies(evidence)) for rule in RULES)
    return [Missing(rule.name, rule.title, reason) for rule, reason in reasons if reason is not None]


def _lacks(rule: Rule, evidence: Evidence) -> str | None:
    lacking = []
    for technique, columns in rule.needs.items():
        tables = [evidence.table(technique, layer.name) for layer in evidence.layers]
        absent = sum(table is None or not set(columns) <= set(table.columns) for table in tables)
        if absent:
            lacking.append(f"{technique} of {counted(absent, 'layer')}")
    return f"needs {' and '.join(lacking)}, not made yet" if lacking else None
