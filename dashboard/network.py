"""The network as a strip: which layer stands where, and which lines lead from one to the next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from analysis.atlas.atlas import Atlas
from analysis.findings.finding import Finding
from analysis.models.layers import ConvLayer
from dashboard.address import link
from dashboard.components.network import Line, Node
from dashboard.layers import about_layer, layer_facts, representatives, seen_share
from dashboard.library import layers_of
from dashboard.pictures import Sheets
from dashboard.state import View

PICTURES = 3
"""Pictures a layer at most; where layers stand side by side, fewer."""
WORST = ("high", "medium", "low")


def network_of(atlas: Atlas, findings: Sequence[Finding], sheets: Sheets) -> tuple[list[Node], list[Line]]:
    """The layers in columns, first to last, and the lines between them; branches lie one below the other."""
    layers = layers_of(atlas.model)
    names = [layer.name for layer in layers]
    lines = lines_of(names, _reads(atlas, names))
    columns = columns_of(names, lines)
    lanes: dict[int, int] = {}
    nodes = []
    beside = {column: columns.count(column) for column in columns}
    for layer, column in zip(layers, columns, strict=True):
        lane = lanes.setdefault(column, 0)
        lanes[column] += 1
        count = max(1, PICTURES - (max(beside.values()) - 1)) if beside[column] > 1 else PICTURES
        nodes.append(_node(atlas, layer, column, lane, findings, sheets, count))
    return nodes, lines


def _node(
    atlas: Atlas, layer: ConvLayer, column: int, lane: int, findings: Sequence[Finding], sheets: Sheets, count: int
) -> Node:
    facts = layer_facts(atlas, layer)
    told = [finding for finding in findings if finding.layer == layer.name]
    severity = next((each for each in WORST if any(finding.severity == each for finding in told)), "")
    return Node(
        layer.name,
        link("layer", View(atlas=atlas.id, layer=layer.name)),
        about_layer(layer),
        column,
        lane,
        layer.out_channels,
        seen_share(atlas, layer),
        representatives(atlas, layer, sheets, count),
        len(facts.dead) / layer.out_channels,
        severity,
        [finding.title for finding in told],
    )


def _reads(atlas: Atlas, names: Sequence[str]) -> dict[str, list[str] | None]:
    """Layer → the layers that it reads, None where that is not known."""
    found: dict[str, list[str] | None] = {}
    for name in names:
        facts = atlas.layer_facts("circuits", name)
        known = facts is not None and (facts["reads"] or not facts["lost"])
        found[name] = list(facts["reads"]) if facts is not None and known else None
    return found


def lines_of(names: Sequence[str], reads: Mapping[str, Collection[str] | None]) -> list[Line]:
    """The lines worth drawing. Of layers that a sum or concatenation collected over several blocks only the last are
    joined to their reader, and as a skip those that these last ones read themselves: the rest is told by the lines
    before. A layer of which it is not known what it reads follows the one before it.
    """
    above: dict[str, set[str]] = {}  # all that a layer sees, itself or through others
    lines = []
    for place, name in enumerate(names):
        sources = reads.get(name)
        if sources is None:
            sources = names[place - 1 : place] if place else []
            lines += [Line(source, name, sure=False) for source in sources]
        else:
            sources = [source for source in sources if source in above]
            last = _ends(sources, above)
            skips = _ends([source for source in sources if source not in last], above)
            lines += [Line(source, name) for source in last] + [Line(source, name, skip=True) for source in skips]
        above[name] = set(sources).union(*(above[source] for source in sources))
    return lines


def _ends(sources: Collection[str], above: Mapping[str, set[str]]) -> list[str]:
    """Those of which none of the others is fed."""
    return [source for source in sources if not any(source in above[other] for other in sources if other != source)]


def columns_of(names: Sequence[str], lines: Sequence[Line]) -> list[int]:
    """How many layers lie before each, along the longest way."""
    column: dict[str, int] = {}
    for name in names:
        column[name] = 1 + max((column[line.start] for line in lines if line.end == name), default=-1)
    return [column[name] for name in names]
